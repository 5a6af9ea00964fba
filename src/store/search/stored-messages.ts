/** Reads stored messages, on a thread that may wait for the disk. */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { BodyUnreadable } from '../errors.ts'
import type { Sql } from '../sqlite/database.ts'
import { recordHeaderOctets } from '../sqlite/record.ts'
import { segmentFile } from '../sqlite/segment-name.ts'

export interface StoredMessage {
  readonly emailId: number
  readonly accountId: number
  readonly prefix: string
  readonly envelope: string
  readonly structure: string
  readonly bodyOctets: number
  readonly body: BodyPlace
}

/** Where a body lies, as the table `blob` says. */
interface BodyPlace {
  readonly segment: number | null
  readonly offset: number | null
  readonly stored: number
  readonly codec: number
  readonly file: string | null
}

type Row = readonly [
  ...[number, number, string, string, string, number],
  ...[number | null, number | null, number, number, string | null],
]

const select = `SELECT e.email, e.account, e.prefix, e.envelope, e.structure, e.body_octets,
  b.segment, b.offset, b.stored, b.codec, b.file FROM email e JOIN blob b ON b.blob = e.blob`

const selectSome = `${select} WHERE e.account = ? AND e.email IN (SELECT value FROM json_each(?)) ORDER BY e.email`

const filesMax = 32
/** Read at once of a segment when messages are read one after another: neighbours mostly lie in it side by side. */
const aheadOctets = 262_144
/** A body up to this is read as a whole when any of it is asked for. */
const wholeOctets = 524_288

export class StoredMessages {
  readonly #sql: Sql
  readonly #folder: string
  readonly #files = new Map<string, number>()
  /** What was read ahead: octets of a segment from an offset on. */
  readonly #ahead = Buffer.allocUnsafeSlow(aheadOctets)
  #aheadSegment = 0
  #aheadFrom = 0
  #aheadLength = 0
  /** Reading ahead finds what is wanted next. */
  #readsAhead = false

  constructor(sql: Sql, folder: string) {
    this.#sql = sql
    this.#folder = folder
  }

  get(accountId: number, emailId: number): StoredMessage | null {
    const row = this.#sql.get<Row>(`${select} WHERE e.email = ? AND e.account = ?`, emailId, accountId)
    return row === undefined ? null : messageOf(row)
  }

  /** Those that there are of some of an account's emails, which ascend. */
  some(accountId: number, emailIds: Float64Array): StoredMessage[] {
    const messages = this.#sql.all<Row>(selectSome, accountId, `[${emailIds.join()}]`).map(messageOf)
    this.#aheadLength = 0
    this.#readsAhead = lieClose(messages)
    return messages
  }

  /** Messages of all accounts, ascending by email. */
  after(emailId: number, limit: number): StoredMessage[] {
    // Behind what was written when it was read ahead there may be more by now.
    this.#aheadLength = 0
    this.#readsAhead = true
    return this.#sql
      .all<Row>(`${select} WHERE e.email > ? ORDER BY e.email LIMIT ?`, emailId, limit)
      .map(messageOf)
  }

  /** Highest number of an email that was given out. */
  lastEmail(): number {
    return Number(this.#sql.get("SELECT value FROM counter WHERE name = 'email'")?.[0] ?? 0)
  }

  /** Names the body of a message, if not uniquely; null: there is no such message. */
  hashOf(emailId: number): string | null {
    const row = this.#sql.get<readonly [Uint8Array]>(
      'SELECT b.hash FROM email e JOIN blob b ON b.blob = e.blob WHERE e.email = ?',
      emailId,
    )
    return row === undefined ? null : Buffer.from(row[0]).toString('hex')
  }

  hasEmail(emailId: number): boolean {
    return this.#sql.get('SELECT 1 FROM email WHERE email = ?', emailId) !== undefined
  }

  hasAccount(accountId: number): boolean {
    return this.#sql.get('SELECT 1 FROM account WHERE account = ?', accountId) !== undefined
  }

  countAfter(emailId: number): number {
    return Number(this.#sql.get('SELECT count(*) FROM email WHERE email > ?', emailId)?.[0])
  }

  /**
   * Octets of a body by place. They throw {BodyUnreadable}.
   *
   * @param inTurn It is one of those that `after` or `some` gave last, which are read one after another: the octets of one
   *   stay until the next is read.
   */
  reader(message: StoredMessage, inTurn = false): (offset: number, octets: number) => Uint8Array {
    let whole: Uint8Array | null = null
    let { body } = message
    const { bodyOctets } = message
    const read = (offset: number, octets: number): Uint8Array => {
      const wanted = Math.max(0, Math.min(octets, bodyOctets - offset))
      if (whole === null && (bodyOctets <= wholeOctets || body.codec !== 0)) whole = this.#whole(body, inTurn)
      return whole?.subarray(offset, offset + wanted) ?? this.#read(body, offset, wanted)
    }
    return (offset, octets) => {
      try {
        return read(offset, octets)
      } catch (error) {
        // Compaction may have moved it since its row was read.
        const now = this.get(message.accountId, message.emailId)
        if (now === null || samePlace(now.body, body)) throw error
        body = now.body
        return read(offset, octets)
      }
    }
  }

  /** Closes the files, so that those removed meanwhile do not keep their room on the disk. */
  closeFiles(): void {
    for (const fd of this.#files.values()) closeSync(fd)
    this.#files.clear()
  }

  #whole(body: BodyPlace, inTurn: boolean): Uint8Array {
    const isNear = inTurn && this.#readsAhead && body.file === null && body.stored <= aheadOctets
    const stored = isNear ? this.#readAhead(body) : this.#read(body, 0, body.stored)
    if (body.codec === 0) return stored
    try {
      return zstdDecompressSync(stored)
    } catch (error) {
      throw new BodyUnreadable('body is damaged', { cause: error })
    }
  }

  #readAhead({ segment, offset, stored }: BodyPlace): Uint8Array {
    const from = offset! + recordHeaderOctets
    const isThere =
      segment === this.#aheadSegment &&
      from >= this.#aheadFrom &&
      from + stored <= this.#aheadFrom + this.#aheadLength
    if (!isThere) {
      this.#aheadLength = 0
      this.#aheadLength = this.#fill(this.#ahead, stored, () => this.#open(null, segment), from)
      this.#aheadSegment = segment!
      this.#aheadFrom = from
    }
    return this.#ahead.subarray(from - this.#aheadFrom, from - this.#aheadFrom + stored)
  }

  #read(body: BodyPlace, offset: number, octets: number): Uint8Array {
    const buffer = Buffer.allocUnsafeSlow(octets)
    const inFile = body.file !== null
    const open = () => this.#open(inFile ? join('big', body.file!) : null, body.segment)
    this.#fill(buffer, octets, open, inFile ? offset : body.offset! + recordHeaderOctets + offset)
    return buffer
  }

  /** @returns How many octets were read: at least `octets`. */
  #fill(buffer: Buffer, octets: number, open: () => number, from: number): number {
    try {
      const fd = open()
      let got = 0
      do {
        const more = readSync(fd, buffer, got, buffer.length - got, from + got)
        if (more === 0 && got < octets) throw new Error('the file ends too early')
        got += more
      } while (got < octets)
      return got
    } catch (error) {
      throw new BodyUnreadable('body cannot be read', { cause: error })
    }
  }

  #open(file: string | null, segment: number | null): number {
    const name = file === null ? segmentFile(this.#folder, segment!) : join(this.#folder, file)
    let fd = this.#files.get(name)
    if (fd === undefined) {
      if (this.#files.size >= filesMax) this.closeFiles()
      fd = openSync(name, 'r')
      this.#files.set(name, fd)
    }
    return fd
  }
}

/** At least half of what lies between the first and the last is theirs; in a mailbox among many it is not. */
function lieClose(messages: readonly StoredMessage[]): boolean {
  const first = messages[0]?.body
  const last = messages.at(-1)?.body
  if (first?.offset == null || last?.offset == null || first.segment !== last.segment) return false
  const theirs = messages.reduce((sum, { body }) => sum + body.stored + recordHeaderOctets, 0)
  return last.offset + last.stored - first.offset <= 2 * theirs
}

function samePlace(a: BodyPlace, b: BodyPlace): boolean {
  return a.segment === b.segment && a.offset === b.offset && a.file === b.file
}

function messageOf(row: Row): StoredMessage {
  const [emailId, accountId, prefix, envelope, structure, bodyOctets, segment, offset, ...rest] = row
  const [stored, codec, file] = rest
  const body = { segment, offset, stored, codec, file }
  return { emailId, accountId, prefix, envelope, structure, bodyOctets, body }
}
