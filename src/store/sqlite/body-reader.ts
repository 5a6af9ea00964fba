/**
 * Reads octets of bodies, wherever they lie. It waits on libuv's pool, not on the sockets' thread: what is in the system's
 * cache takes microseconds, what is not takes as long as the disk does.
 */
import { close, open, read } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { BodyUnreadable } from '../errors.ts'
import type { BodyRef } from '../body.ts'
import type { Sql } from './database.ts'
import { readRecordHeader, recordHeaderOctets } from './record.ts'
import { segmentFile } from './segments.ts'

/** Files kept open. */
const filesMax = 64

interface OpenFile {
  readonly fd: Promise<number>
  users: number
  /** Not in the list any more: closed by its last user. */
  dropped: boolean
}

export class BodyReader {
  readonly #sql: Sql
  readonly #folder: string
  /** The one used last stands last. */
  readonly #files = new Map<string, OpenFile>()

  constructor(sql: Sql, folder: string) {
    this.#sql = sql
    this.#folder = folder
  }

  /** @returns Fewer octets only at the end of the body. @throws {BodyUnreadable} */
  async read(body: BodyRef, offset: number, octets: number): Promise<Uint8Array> {
    const row = this.#sql.get<readonly [number, number | null, number | null, number, string | null]>(
      'SELECT account, segment, offset, octets, file FROM blob WHERE blob = ?',
      body.blobId,
    )
    if (row === undefined || row[0] !== body.accountId)
      throw new BodyUnreadable(`body ${body.blobId} is gone`)
    const [, segment, start, total, file] = row
    const wanted = Math.max(0, Math.min(octets, total - offset))
    try {
      if (file !== null) return await this.#readAt(join(this.#folder, 'big', file), offset, wanted)
      const name = segmentFile(this.#folder, segment!)
      if (wanted < total) return await this.#readAt(name, start! + recordHeaderOctets + offset, wanted)
      return this.#check(body, await this.#readAt(name, start!, recordHeaderOctets + total))
    } catch (error) {
      if (error instanceof BodyUnreadable) throw error
      throw new BodyUnreadable(`body ${body.blobId} cannot be read`, { cause: error })
    }
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()]
    this.#files.clear()
    for (const file of files) this.#drop(file)
    await Promise.allSettled(files.map((file) => file.fd))
  }

  /** A whole body is worth a checksum: 2 µs for 10 KB. */
  #check(body: BodyRef, record: Buffer): Uint8Array {
    const header = readRecordHeader(record, 0)
    const octets = record.subarray(recordHeaderOctets)
    if (header === null || header.octets !== octets.length || header.crc !== crc32(octets)) {
      throw new BodyUnreadable(`body ${body.blobId} is damaged`)
    }
    return octets
  }

  async #readAt(name: string, position: number, octets: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(octets)
    if (octets === 0) return buffer
    const file = this.#use(name)
    try {
      const fd = await file.fd
      for (let got = 0; got < octets; ) {
        const more = await readOnce(fd, buffer, got, position + got)
        if (more === 0) throw new BodyUnreadable(`${name} ends too early`)
        got += more
      }
      return buffer
    } finally {
      file.users--
      if (file.dropped && file.users === 0) closeFile(file)
    }
  }

  #use(name: string): OpenFile {
    let file = this.#files.get(name)
    if (file === undefined) {
      file = { fd: openFile(name), users: 0, dropped: false }
      file.fd.catch(() => this.#files.delete(name))
      for (const [oldName, old] of this.#files) {
        if (this.#files.size < filesMax) break
        this.#files.delete(oldName)
        this.#drop(old)
      }
    } else {
      this.#files.delete(name)
    }
    this.#files.set(name, file)
    file.users++
    return file
  }

  #drop(file: OpenFile): void {
    file.dropped = true
    if (file.users === 0) closeFile(file)
  }
}

function openFile(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(name, 'r', (error, fd) => (error === null ? resolve(fd) : reject(error)))
  })
}

function readOnce(fd: number, buffer: Buffer, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, at, buffer.length - at, position, (error, octets) =>
      error === null ? resolve(octets) : reject(error),
    )
  })
}

function closeFile(file: OpenFile): void {
  file.fd.then(
    (fd) => close(fd, () => {}),
    () => {},
  )
}
