/**
 * Reads octets of bodies, wherever they lie. It waits on libuv's pool, not on the sockets' thread: what is in the system's
 * cache takes microseconds, what is not takes as long as the disk does. A compressed body is unpacked here, whole: 30 µs
 * for 10 KB, half a millisecond for the longest there is.
 */
import { close, open, read } from 'node:fs'
import { join } from 'node:path'
import { crc32, zstdDecompressSync } from 'node:zlib'
import { BodyUnreadable } from '../errors.ts'
import type { BodyRef } from '../body.ts'
import type { Sql } from './database.ts'
import { readRecordHeader, recordHeaderOctets, zstdCodec } from './record.ts'
import { segmentFile } from './segment-name.ts'

/** Files kept open. */
const filesMax = 64
/** Octets of unpacked bodies that are kept: who reads a body in pieces asks for it again at once. */
const unpackedOctetsMax = 2 * 1024 * 1024

/** Where a body lies. */
interface Place {
  readonly segment: number | null
  readonly start: number
  readonly octets: number
  readonly stored: number
  readonly codec: number
  readonly file: string | null
}

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
  /** By number of the body; the one used last stands last. */
  readonly #unpacked = new Map<number, Uint8Array>()
  #unpackedOctets = 0

  constructor(sql: Sql, folder: string) {
    this.#sql = sql
    this.#folder = folder
  }

  /** @returns Fewer octets only at the end of the body. @throws {BodyUnreadable} */
  async read(body: BodyRef, offset: number, octets: number): Promise<Uint8Array> {
    let place = this.#placeOf(body)
    for (;;) {
      try {
        return await this.#readPlace(body, place, offset, octets)
      } catch (error) {
        // The housekeeping may have put it elsewhere between the two looks.
        const now = this.#placeOf(body)
        if (now.segment === place.segment && now.start === place.start) {
          if (error instanceof BodyUnreadable) throw error
          throw new BodyUnreadable(`body ${body.blobId} cannot be read`, { cause: error })
        }
        place = now
      }
    }
  }

  /** Closes files that have been removed, so that they do not keep their room on the disk. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      const file = this.#files.get(name)
      if (file === undefined) continue
      this.#files.delete(name)
      this.#drop(file)
    }
  }

  /** @throws {BodyUnreadable} */
  #placeOf(body: BodyRef): Place {
    const row = this.#sql.get<
      readonly [number, number | null, number | null, number, number, number, string | null]
    >('SELECT account, segment, offset, octets, stored, codec, file FROM blob WHERE blob = ?', body.blobId)
    if (row === undefined || row[0] !== body.accountId)
      throw new BodyUnreadable(`body ${body.blobId} is gone`)
    const [, segment, start, octets, stored, codec, file] = row
    return { segment, start: start ?? 0, octets, stored, codec, file }
  }

  async #readPlace(body: BodyRef, place: Place, offset: number, octets: number): Promise<Uint8Array> {
    const { segment, start, octets: total, stored, codec, file } = place
    const wanted = Math.max(0, Math.min(octets, total - offset))
    if (file !== null) return this.#readAt(join(this.#folder, 'big', file), offset, wanted)
    const name = segmentFile(this.#folder, segment!)
    const readRecord = () => this.#readAt(name, start, recordHeaderOctets + stored)
    if (codec === zstdCodec) {
      const whole = this.#keptBody(body) ?? this.#unpack(body, total, this.#check(body, await readRecord()))
      return whole.subarray(offset, offset + wanted)
    }
    if (codec !== 0) throw new BodyUnreadable(`body ${body.blobId} has codec ${codec}`)
    if (wanted < total) return this.#readAt(name, start + recordHeaderOctets + offset, wanted)
    return this.#check(body, await readRecord())
  }

  #keptBody({ blobId }: BodyRef): Uint8Array | null {
    const kept = this.#unpacked.get(blobId)
    if (kept === undefined) return null
    this.#unpacked.delete(blobId)
    this.#unpacked.set(blobId, kept)
    return kept
  }

  /** @param octets What it must come to: never more is made of it. */
  #unpack(body: BodyRef, octets: number, packed: Uint8Array): Uint8Array {
    let whole: Uint8Array
    try {
      whole = zstdDecompressSync(packed, { maxOutputLength: Math.max(octets, 1) })
    } catch (error) {
      throw new BodyUnreadable(`body ${body.blobId} is damaged`, { cause: error })
    }
    if (whole.length !== octets) throw new BodyUnreadable(`body ${body.blobId} is damaged`)
    if (!this.#unpacked.has(body.blobId)) this.#unpackedOctets += whole.length
    this.#unpacked.set(body.blobId, whole)
    for (const [oldId, old] of this.#unpacked) {
      if (this.#unpackedOctets <= unpackedOctetsMax) break
      this.#unpacked.delete(oldId)
      this.#unpackedOctets -= old.length
    }
    return whole
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
    if (header === null || header.stored !== octets.length || header.crc !== crc32(octets)) {
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
