/**
 * Files and folders for mailboxes whose names may hold anything. What a file system may not have, or takes for something
 * else, is written as `%` and two digits for each octet. Names that differ only in case or in how an accent is written get
 * a path of their own too. A name too long for one step is cut and told apart by a hash. The list of an export has each
 * mailbox's path, so that reading it back is exact whatever happened here.
 */
import { createHash } from 'node:crypto'
import { folderOfMailbox, percent } from './maildir-names.ts'
import type { TransferFormat } from './source.ts'

/** Most file systems end at 255; this leaves room for an ending. */
const stepOctets = 200

/** One step of a path. */
export function safeStep(text: string): string {
  const safe = text
    .replace(/[%/\\:*?"<>|\x00-\x1f\x7f-\x9f]|^[.~ -]|[. ]$/g, percent)
    // The step of a mailbox must not look like the file of another one.
    .replace(/\.(?=(?:mbox|eml)$)/i, percent)
  return safe === '' ? '%' : safe
}

export class SafeNames {
  readonly #format: TransferFormat
  /** Paths in use, as the most forgetful file system sees them. */
  readonly #taken = new Set<string>()

  constructor(format: TransferFormat, taken: Iterable<string>) {
    this.#format = format
    for (const path of taken) this.#taken.add(folded(path))
  }

  /** @returns Relative; '.' is the export's own folder. */
  pathFor(mailbox: string): string {
    if (this.#format === 'maildir' && mailbox === 'INBOX') return '.'
    const plain = this.#shortened(this.#path(mailbox))
    const path = this.#taken.has(folded(plain)) ? this.#distinct(mailbox) : plain
    this.#taken.add(folded(path))
    return path
  }

  #path(mailbox: string): string {
    if (this.#format === 'maildir') return folderOfMailbox(mailbox)
    const steps = mailbox.toWellFormed().split('/').map(safeStep)
    return this.#format === 'mbox' ? `${steps.join('/')}.mbox` : steps.join('/')
  }

  #shortened(path: string): string {
    if (path.split('/').every((step) => Buffer.byteLength(step) <= 255)) return path
    return this.#hashed(path)
  }

  #distinct(mailbox: string): string {
    return this.#hashed(this.#path(mailbox), mailbox)
  }

  #hashed(path: string, mailbox = path): string {
    const ending = this.#format === 'mbox' ? '.mbox' : ''
    const digest = createHash('sha256').update(mailbox).digest('hex').slice(0, 16)
    const last = path.slice(path.lastIndexOf('/') + 1, path.length - ending.length)
    const short = Buffer.from(last)
      .toString('utf8', 0, stepOctets / 2)
      .replace(/\ufffd$/, '')
    // Not below the folders of its parents: they may be too long themselves.
    return `${short}~${digest}${ending}`
  }
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase()
}
