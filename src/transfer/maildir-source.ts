/**
 * Messages of a Maildir: one with Maildir++ folders (`.Work.2024` beside cur/ and new/), or a tree of folders that each
 * are one, as mbsync and Dovecot's LAYOUT=fs make them. Files that a mail program renames meanwhile are found again.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type ExportList, marksFile, readLines } from './export-list.ts'
import { FileMessage } from './file-message.ts'
import { gatherKeywords, type Marks } from './keywords.ts'
import {
  byArrival,
  byUid,
  decodeElement,
  mailboxOfFolder,
  marksOfName,
  parseKeywordFile,
  uniqueName,
} from './maildir-names.ts'
import type { DoneBefore, Source, SourceItem } from './source.ts'

interface MaildirFolder {
  readonly order: (a: string, b: string) => number
  readonly path: string
  readonly unit: string
  readonly mailbox: string
}

const messageFolders = ['new', 'cur'] as const

/** @returns Null when there is no Maildir. */
export async function maildirSource(root: string, list: ExportList | null): Promise<Source | null> {
  const folders = list === null ? await findFolders(root, root) : listedFolders(root, list)
  if (folders.length === 0) return null
  let count = 0
  for (const folder of folders) count += (await filesOf(folder)).length
  return {
    format: 'maildir',
    total: { unit: 'messages', count },
    check: async () => null,
    async *items(before) {
      let done = 0
      for (const folder of folders) {
        yield { kind: 'unit', unit: folder.unit, mailbox: folder.mailbox }
        const files = await filesOf(folder)
        yield* messagesOf(folder, files, before, done)
        done += files.length
      }
    },
  }
}

function listedFolders(root: string, list: ExportList): MaildirFolder[] {
  return [...list.mailboxes.values()].map(({ path, mailbox }) => ({
    order: byUid,
    path: join(root, path),
    unit: path,
    mailbox,
  }))
}

async function findFolders(root: string, folder: string): Promise<MaildirFolder[]> {
  const found: MaildirFolder[] = []
  const entries = await readdir(folder, { withFileTypes: true })
  const names = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
  const path = relative(root, folder)
  if (names.has('cur')) {
    const mailbox = path === '' ? 'INBOX' : path.split('/').map(decodeElement).join('/')
    found.push({ order: byArrival, path: folder, unit: path === '' ? '.' : path, mailbox })
  }
  for (const name of [...names].sort()) {
    if (['cur', 'new', 'tmp'].includes(name)) continue
    const below = join(folder, name)
    if (!name.startsWith('.')) found.push(...(await findFolders(root, below)))
    // Maildir++ has its folders side by side in the root.
    else if (path === '' && names.has('cur') && (await readdir(below)).includes('cur')) {
      found.push({ order: byArrival, path: below, unit: name, mailbox: mailboxOfFolder(name) })
    }
  }
  return found
}

interface MaildirFile {
  readonly name: string
  readonly folder: (typeof messageFolders)[number]
}

async function filesOf({ path, order }: MaildirFolder): Promise<MaildirFile[]> {
  const files: MaildirFile[] = []
  for (const folder of messageFolders) {
    const entries = await readdir(join(path, folder), { withFileTypes: true }).catch(ignoreMissing)
    for (const entry of entries) {
      if (!entry.isDirectory() && !entry.name.startsWith('.')) files.push({ name: entry.name, folder })
    }
  }
  return files.sort((a, b) => order(a.name, b.name))
}

function ignoreMissing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
  throw error
}

async function* messagesOf(
  folder: MaildirFolder,
  files: readonly MaildirFile[],
  before: DoneBefore,
  doneBefore: number,
): AsyncGenerator<SourceItem> {
  const keywordFile = await readFile(join(folder.path, 'dovecot-keywords'), 'utf8').catch(ignoreMissing)
  const keywordNames = parseKeywordFile(String(keywordFile))
  const more = await readMoreKeywords(folder.path)
  for (const [index, file] of files.entries()) {
    const key = uniqueName(file.name)
    if (before.has(folder.unit, key)) continue
    const marks = marksOfName(file.name, keywordNames)
    const message = new FileMessage(join(folder.path, file.folder, file.name), {
      key,
      marks: withMore(marks, more.get(key)),
      done: doneBefore + index + 1,
      internalDate: null,
      datedBy: 'file',
      find: () => findRenamed(folder, key),
    })
    yield { kind: 'message', message }
  }
}

function withMore(marks: Marks, more: readonly string[] | undefined): Marks {
  return more === undefined ? marks : { ...marks, keywords: gatherKeywords([...marks.keywords, ...more]) }
}

/** Our own export: keywords for which there was no letter left. */
async function readMoreKeywords(folder: string): Promise<Map<string, readonly string[]>> {
  const lines = ((await readLines(join(folder, marksFile), 'read')) ?? []) as {
    readonly name: string
    readonly keywords: readonly string[]
  }[]
  return new Map(lines.map(({ name, keywords }) => [name, keywords]))
}

async function findRenamed(folder: MaildirFolder, key: string): Promise<string | null> {
  for (const below of messageFolders) {
    const names = await readdir(join(folder.path, below)).catch(ignoreMissing)
    const name = names.find((one) => uniqueName(one) === key)
    if (name !== undefined) return join(folder.path, below, name)
  }
  return null
}
