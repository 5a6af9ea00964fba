/**
 * The list that an export keeps beside what it writes: which file or folder is which mailbox, and how far it has come. It
 * makes an export resumable and an import of it exact, and it is how we know our own files: what is not in it is somebody
 * else's and is left alone. Lines are only ever added; a line that a crash cut short does not count.
 */
import { appendFile, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { TransferFormat } from './source.ts'

export const listFile = 'posthorn-export.jsonl'
/** In a mailbox's own folder: what its format cannot tell about its messages. */
export const marksFile = 'posthorn-marks.jsonl'

export interface ListHead {
  readonly posthorn: 'export'
  readonly version: 1
  readonly format: TransferFormat
  readonly address: string
  /** Tells one store's account from another's of the same address. */
  readonly accountKey: string
}

export interface ListedMailbox {
  readonly mailbox: string
  /** Relative to the list. */
  readonly path: string
  readonly uidValidity: number
}

/** An mbox has all messages up to a UID when it has so many octets. */
export interface MboxProgress {
  readonly path: string
  readonly uid: number
  readonly octets: number
  /** The export came to its end: what the file has beyond these octets is not ours. */
  readonly complete: boolean
}

export interface ExportList {
  readonly head: ListHead
  /** By path; with the newest UIDVALIDITY. */
  readonly mailboxes: ReadonlyMap<string, ListedMailbox>
  readonly progress: ReadonlyMap<string, MboxProgress>
}

/** @returns Null when there is none, or what is there is no such list. */
export async function readExportList(folder: string, use: 'read' | 'continue'): Promise<ExportList | null> {
  const lines = await readLines(join(folder, listFile), use)
  const head = lines?.[0] as Partial<ListHead> | undefined
  if (head?.posthorn !== 'export' || head.version !== 1) return null
  const mailboxes = new Map<string, ListedMailbox>()
  const progress = new Map<string, MboxProgress>()
  for (const line of lines!.slice(1) as (ListedMailbox | MboxProgress)[]) {
    if ('mailbox' in line) mailboxes.set(line.path, line)
    else progress.set(line.path, line)
  }
  return { head: head as ListHead, mailboxes, progress }
}

/**
 * All whole lines of a file of JSON lines.
 *
 * @param use `continue` cuts off half a line at the end, so that what is added does not join it.
 * @returns Null when there is no file.
 */
export async function readLines(file: string, use: 'read' | 'continue'): Promise<unknown[] | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const end = text.lastIndexOf('\n') + 1
  if (use === 'continue' && end < text.length) await truncate(file, Buffer.byteLength(text.slice(0, end)))
  return text
    .slice(0, end)
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
}

export async function addLines(file: string, values: readonly unknown[]): Promise<void> {
  await appendFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''))
}
