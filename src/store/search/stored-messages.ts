/** Reads stored messages, on a thread that may wait for the disk. */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { BodyUnreadable } from '../errors.ts'
import type { Sql } from '../sqlite/database.ts'
import { recordHeaderOctets } from '../sqlite/record.ts'
import { segmentFile } from '../sqlite/segments.ts'

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
  /** Names the body, if not uniquely. */
  readonly hash: Uint8Array
}

type Row = readonly [
  ...[number, number, string, string, string, number],
  ...[number | null, number | null, number, number, string | null, Uint8Array],
]

const select = `SELECT e.email, e.account, e.prefix, e.envelope, e.structure, e.body_octets,
  b.segment, b.offset, b.stored, b.codec, b.file, b.hash FROM email e JOIN blob b ON b.blob = e.blob`

const filesMax = 32
/** A body up to this is read as a whole when any of it is asked for. */
const wholeOctets = 524_288

export class StoredMessages {
  readonly #sql: Sql
  readonly #folder: string
  readonly #files = new Map<string, number>()

  constructor(sql: Sql, folder: string) {
    this.#sql = sql
    this.#folder = folder
  }

  get(accountId: number, emailId: number): StoredMessage | null {
    const row = this.#sql.get<Row>(`${select} WHERE e.email = ? AND e.account = ?`, emailId, accountId)
    return row === undefined ? null : messageOf(row)
  }

  /** Messages of all accounts, ascending by email. */
  after(emailId: number, limit: number): StoredMessage[] {
    return this.#sql
      .all<Row>(`${select} WHERE e.email > ? ORDER BY e.email LIMIT ?`, emailId, limit)
      .map(messageOf)
  }

  /** Highest number of an email that was given out. */
  lastEmail(): number {
    return Number(this.#sql.get("SELECT value FROM counter WHERE name = 'email'")?.[0] ?? 0)
  }

  /** Those within [first, last]. */
  emailsBetween(first: number, last: number): Set<number> {
    const rows = this.#sql.all<readonly [number]>(
      'SELECT email FROM email WHERE email BETWEEN ? AND ?',
      first,
      last,
    )
    return new Set(rows.map(([email]) => email))
  }

  countAfter(emailId: number): number {
    return Number(this.#sql.get('SELECT count(*) FROM email WHERE email > ?', emailId)?.[0])
  }

  /** Octets of a body by place. They throw {BodyUnreadable}. */
  reader(message: StoredMessage): (offset: number, octets: number) => Uint8Array {
    let whole: Uint8Array | null = null
    let { body } = message
    const { bodyOctets } = message
    const read = (offset: number, octets: number): Uint8Array => {
      const wanted = Math.max(0, Math.min(octets, bodyOctets - offset))
      if (whole === null && (bodyOctets <= wholeOctets || body.codec !== 0)) whole = this.#whole(body)
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

  #whole(body: BodyPlace): Uint8Array {
    const stored = this.#read(body, 0, body.stored)
    if (body.codec === 0) return stored
    try {
      return zstdDecompressSync(stored)
    } catch (error) {
      throw new BodyUnreadable('body is damaged', { cause: error })
    }
  }

  #read(body: BodyPlace, offset: number, octets: number): Uint8Array {
    const buffer = Buffer.allocUnsafeSlow(octets)
    try {
      const inFile = body.file !== null
      const fd = this.#open(inFile ? join('big', body.file) : null, body.segment)
      const from = inFile ? offset : body.offset! + recordHeaderOctets + offset
      for (let got = 0; got < octets; ) {
        const more = readSync(fd, buffer, got, octets - got, from + got)
        if (more === 0) throw new Error('the file ends too early')
        got += more
      }
      return buffer
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

function samePlace(a: BodyPlace, b: BodyPlace): boolean {
  return a.segment === b.segment && a.offset === b.offset && a.file === b.file
}

function messageOf(row: Row): StoredMessage {
  const [emailId, accountId, prefix, envelope, structure, bodyOctets, segment, offset, ...rest] = row
  const [stored, codec, file, hash] = rest
  const body = { segment, offset, stored, codec, file, hash }
  return { emailId, accountId, prefix, envelope, structure, bodyOctets, body }
}
