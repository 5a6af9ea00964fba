/** Messages of a tree of .eml files: each folder is a mailbox, the top one INBOX. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ExportList, marksFile, readLines } from './export-list.ts'
import { FileMessage } from './file-message.ts'
import { flagsOfNames, gatherKeywords } from './keywords.ts'
import type { DoneBefore, Source, SourceItem } from './source.ts'

interface EmlFolder {
  readonly path: string
  readonly unit: string
  readonly mailbox: string
}

/** What our own export writes of each file. */
export interface EmlMarks {
  readonly name: string
  readonly internalDate: number
  /** Flags and keywords, as IMAP has them. */
  readonly marks: readonly string[]
}

/** @returns Null when there is none. */
export async function emlSource(root: string, list: ExportList | null): Promise<Source | null> {
  const folders = list === null ? await findFolders(root, []) : listedFolders(root, list)
  let count = 0
  for (const folder of folders) count += (await filesOf(folder.path)).length
  if (count === 0 && list === null) return null
  return {
    format: 'eml',
    total: { unit: 'messages', count },
    check: async () => null,
    async *items(before) {
      let done = 0
      for (const folder of folders) {
        const files = await filesOf(folder.path)
        yield { kind: 'unit', unit: folder.unit, mailbox: folder.mailbox }
        yield* messagesOf(folder, files, before, done)
        done += files.length
      }
    },
  }
}

/** One file. */
export function emlFileSource(path: string, name: string): Source {
  return {
    format: 'eml',
    total: { unit: 'messages', count: 1 },
    check: async () => null,
    async *items(before) {
      yield { kind: 'unit', unit: '.', mailbox: 'INBOX' }
      if (before.has('.', name)) return
      yield { kind: 'message', message: new FileMessage(path, { ...foreign, key: name, done: 1 }) }
    },
  }
}

/** A file of somebody else knows no flags, and its own date is mostly that of its saving. */
const foreign = {
  marks: { flags: 0, keywords: [] },
  internalDate: null,
  datedBy: 'field',
  find: async () => null,
} as const

function listedFolders(root: string, list: ExportList): EmlFolder[] {
  return [...list.mailboxes.values()].map(({ path, mailbox }) => ({
    path: join(root, path),
    unit: path,
    mailbox,
  }))
}

async function findFolders(root: string, steps: readonly string[]): Promise<EmlFolder[]> {
  const path = join(root, ...steps)
  const unit = steps.length === 0 ? '.' : steps.join('/')
  const found: EmlFolder[] = []
  if ((await filesOf(path)).length > 0) {
    found.push({ path, unit, mailbox: steps.length === 0 ? 'INBOX' : steps.map(nameOf).join('/') })
  }
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue
    found.push(...(await findFolders(root, [...steps, entry.name])))
  }
  return found
}

/** macOS takes accents apart. */
function nameOf(step: string): string {
  return step.normalize('NFC').replace(/[\x00-\x1f\x7f-\x9f]/g, '_')
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries
    .filter((entry) => !entry.isDirectory() && /^[^.].*\.eml$/i.test(entry.name))
    .map(({ name }) => name)
    .sort(byNumber.compare)
}

/** 9.eml before 10.eml. */
const byNumber = new Intl.Collator('en', { numeric: true })

/** Our own export's list is in the order of UIDs; what is not in it comes last. */
function inOrderOf(known: ReadonlyMap<string, EmlMarks>, files: readonly string[]): string[] {
  const there = new Set(files)
  const listed = [...known.keys()].filter((name) => there.has(name))
  return [...listed, ...files.filter((name) => !known.has(name))]
}

async function* messagesOf(
  folder: EmlFolder,
  files: readonly string[],
  before: DoneBefore,
  doneBefore: number,
): AsyncGenerator<SourceItem> {
  const lines = ((await readLines(join(folder.path, marksFile), 'read')) ?? []) as EmlMarks[]
  const known = new Map(lines.map((line) => [line.name, line]))
  for (const [index, name] of inOrderOf(known, files).entries()) {
    if (before.has(folder.unit, name)) continue
    const own = known.get(name)
    const told =
      own === undefined ? foreign : { ...foreign, marks: marksOf(own.marks), internalDate: own.internalDate }
    const options = { ...told, key: name, done: doneBefore + index + 1 }
    yield { kind: 'message', message: new FileMessage(join(folder.path, name), options) }
  }
}

function marksOf(names: readonly string[]) {
  return { flags: flagsOfNames(names), keywords: gatherKeywords(names) }
}
