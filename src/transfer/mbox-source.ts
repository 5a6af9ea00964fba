/** Messages of one mbox, or of a folder of them as Thunderbird, mutt or our own export leave it. */
import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { type ExportList, listFile } from './export-list.ts'
import { type FromLine, parseFromLine } from './from-line.ts'
import { type Quoting, MboxUnpacker } from './mbox-unpack.ts'
import { type MboxPiece, readMbox } from './mbox-reader.ts'
import type { DoneBefore, Source, SourceFacts, SourceItem, SourceMessage } from './source.ts'
import { Unreadable } from './source.ts'
import { shortHash } from './wire.ts'

export interface MboxFile {
  readonly path: string
  readonly unit: string
  readonly mailbox: string
  readonly octets: number
}

export function mboxSource(files: readonly MboxFile[], quoting: Quoting): Source {
  return {
    format: 'mbox',
    total: { unit: 'octets', count: files.reduce((sum, { octets }) => sum + octets, 0) },
    async check(unit, until) {
      const file = files.find((one) => one.unit === unit)
      return file === undefined ? null : hashBefore(file.path, until)
    },
    async *items(before) {
      let done = 0
      for (const file of files) {
        yield { kind: 'unit', unit: file.unit, mailbox: file.mailbox }
        yield* messagesOf(file, quoting, before, done)
        done += file.octets
      }
    },
  }
}

async function* messagesOf(
  file: MboxFile,
  quoting: Quoting,
  before: DoneBefore,
  doneBefore: number,
): AsyncGenerator<SourceItem> {
  const handle = await open(file.path)
  try {
    const pieces = readMbox((position, octets) => readAt(handle, position, octets), before.until(file.unit))
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      const piece = next.value
      if (piece.kind === 'damaged') {
        const place = `${file.path}, offset ${piece.offset}`
        const done = doneBefore + piece.end
        const reason = 'no “From ” line begins a message here'
        const key = String(piece.offset)
        if (before.has(file.unit, key)) continue
        yield { kind: 'damaged', key, place, reason, done, end: piece.end }
      }
      if (piece.kind !== 'message') continue
      const message = new MboxMessage(file, piece, pieces, quoting, doneBefore)
      if (!before.has(file.unit, message.key)) yield { kind: 'message', message }
      await message.skip()
    }
  } finally {
    await handle.close()
  }
}

/** Octets at the beginning in which a message of an mbox must begin. */
const headOctets = 65_536
/** Octets before an offset that tell whether the file is still the same there. */
const checkOctets = 4_096

async function hashBefore(path: string, until: number): Promise<string> {
  const handle = await open(path)
  try {
    const from = Math.max(0, until - checkOctets)
    return shortHash(
      createHash('sha256')
        .update(await readAt(handle, from, until - from))
        .digest(),
    )
  } finally {
    await handle.close()
  }
}

async function readAt(handle: FileHandle, position: number, octets: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(octets)
  let filled = 0
  while (filled < octets) {
    const { bytesRead } = await handle.read(buffer, filled, octets - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

class MboxMessage implements SourceMessage {
  readonly key: string
  readonly place: string
  readonly #from: FromLine
  readonly #pieces: AsyncGenerator<MboxPiece>
  readonly #unpacker: MboxUnpacker
  readonly #doneBefore: number
  #end: number | null = null

  constructor(
    file: MboxFile,
    start: MboxPiece & { readonly kind: 'message' },
    pieces: AsyncGenerator<MboxPiece>,
    quoting: Quoting,
    doneBefore: number,
  ) {
    this.key = String(start.offset)
    this.place = `${file.path}, offset ${start.offset}`
    this.#from = start.from
    this.#pieces = pieces
    this.#unpacker = new MboxUnpacker(quoting)
    this.#doneBefore = doneBefore
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (let lines = await this.#lines(); lines !== null; lines = await this.#lines()) {
      yield* this.#unpacker.push(lines)
    }
  }

  /** Passes over what has not been read. */
  async skip(): Promise<void> {
    while (this.#end === null) await this.#lines()
  }

  facts(): SourceFacts {
    const { marks, noMessage } = this.#unpacker.fields
    const end = this.#end
    const done = this.#doneBefore + (end ?? Number(this.key))
    return { ...marks, internalDate: this.#from.date, done, end, noMessage }
  }

  /** @returns Null at the end of the message. */
  async #lines(): Promise<Buffer | null> {
    if (this.#end !== null) return null
    const { value, done } = await this.#pieces.next()
    if (done === true) throw new Unreadable('the file ended')
    if (value.kind === 'lines') return value.lines
    if (value.kind === 'end') this.#end = value.end
    return null
  }
}

/** Whether a file begins as an mbox does. @param damaged Whether something else may stand before the first message. */
export async function isMbox(path: string, damaged = false): Promise<boolean> {
  const handle = await open(path)
  try {
    const head = (await readAt(handle, 0, headOctets)).toString('latin1').trimStart()
    const lines = damaged ? head.split('\n') : head.split('\n', 1)
    return lines.some((line) => line.startsWith('From ') && parseFromLine(line) !== null)
  } finally {
    await handle.close()
  }
}

/** All mboxes under a folder. @param list That of the export it is, or null. */
export async function findMboxes(root: string, list: ExportList | null): Promise<MboxFile[]> {
  if (list !== null) {
    const listed = [...list.mailboxes.values()].map(async ({ path, mailbox }) => {
      const facts = await stat(join(root, path)).catch(() => null)
      return facts === null ? [] : [{ path: join(root, path), unit: path, mailbox, octets: facts.size }]
    })
    return (await Promise.all(listed)).flat()
  }
  const found: MboxFile[] = []
  await walk(root, root, [], found)
  return found
}

async function walk(
  root: string,
  folder: string,
  steps: readonly string[],
  found: MboxFile[],
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || entry.name === listFile) continue
    // Thunderbird keeps the children of Work in Work.sbd.
    if (entry.isDirectory()) await walk(root, path, [...steps, entry.name.replace(/\.sbd$/, '')], found)
    else if (await isMailbox(entry, path)) {
      const { size: octets } = await stat(path)
      const unit = relative(root, path)
      found.push({ path, unit, mailbox: mailboxOfPath(steps, entry.name), octets })
    }
  }
}

async function isMailbox(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isFile()) return false
  const { size } = await stat(path)
  return size === 0 ? entry.name.endsWith('.mbox') : await isMbox(path)
}

function mailboxOfPath(steps: readonly string[], file: string): string {
  // Apple Mail exports a folder Work.mbox with a file mbox in it.
  const all = file === 'mbox' && steps.at(-1)?.endsWith('.mbox') ? steps : [...steps, file]
  return all.map((step) => step.replace(/\.mbox$/, '')).join('/')
}

/** The mailbox of a single file: its name when it ends so that one can tell; a mail spool is an INBOX. */
export function mailboxOfFile(path: string): string {
  const name = basename(path)
  return name.endsWith('.mbox') && name !== '.mbox' ? name.slice(0, -'.mbox'.length) : 'INBOX'
}
