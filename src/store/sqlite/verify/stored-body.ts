/** Reads bodies where the tables say they lie, and says of each what is wrong with it. Waits for the disk: threads only. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32, zstdDecompressSync } from 'node:zlib'
import { readRecordHeader, recordHeaderOctets } from '../record.ts'

/** A row of `blob`. */
export interface StoredBody {
  readonly segment: number | null
  readonly offset: number | null
  readonly octets: number
  readonly stored: number
  readonly codec: number
  /** First 16 octets of the SHA-256. */
  readonly hash: Uint8Array
  readonly file: string | null
}

/** Columns of a `StoredBody`, in the order of `storedBodyOf`. */
export const storedBodyColumns = 'segment, offset, octets, stored, codec, hash, file'

export function storedBodyOf(row: readonly unknown[]): StoredBody {
  const [segment, offset, octets, stored, codec, hash, file] = row as [
    ...[number | null, number | null, number, number, number],
    ...[Uint8Array, string | null],
  ]
  return { segment, offset, octets, stored, codec, hash, file }
}

/** Where the files are: in a data folder, or in a backup. */
export interface BodyPlaces {
  /** Null: there is no such segment. */
  segment(segment: number): string | null
  big(file: string): string
}

/** A body that is not as it should be; the text goes on from "the body". */
export class BadBody extends Error {}

const pieceOctets = 1024 * 1024

/** Reads one body after another; the last file stays open, since neighbours lie in one segment. */
export class StoredBodies {
  readonly #places: BodyPlaces
  #file: { readonly name: string; readonly fd: number; readonly octets: number } | null = null
  readonly #header = Buffer.alloc(recordHeaderOctets)

  constructor(places: BodyPlaces) {
    this.#places = places
  }

  /** @param quick Only whether it is there, and what its header says. @throws {BadBody} */
  check(body: StoredBody, quick: boolean): void {
    if (body.file !== null) this.#checkFile(body, body.file, quick)
    else if (quick) this.#openRecord(body)
    else this.#readRecord(body)
  }

  /** The whole body in pieces, each to be used before the next. @throws {BadBody} Also at the end, when the hash differs. */
  *read(body: StoredBody): Generator<Uint8Array> {
    if (body.file === null) yield this.#readRecord(body)
    else yield* this.#readFile(body, body.file)
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file.fd)
    this.#file = null
  }

  #checkFile(body: StoredBody, file: string, quick: boolean): void {
    if (!quick) for (const _ of this.#readFile(body, file));
    else this.#openBig(body, file)
  }

  #openBig(body: StoredBody, file: string): number {
    const { fd, octets } = this.#open(this.#places.big(file), `big/${file}`)
    if (octets !== body.stored || body.stored !== body.octets)
      throw new BadBody(`has ${octets} octets in big/${file} instead of ${body.octets}`)
    return fd
  }

  *#readFile(body: StoredBody, file: string): Generator<Uint8Array> {
    const fd = this.#openBig(body, file)
    const sha = createHash('sha256')
    for (let at = 0; at < body.octets; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceOctets, body.octets - at))
      readWhole(fd, piece, at)
      sha.update(piece)
      at += piece.length
      yield piece
    }
    if (!sha.digest().subarray(0, 16).equals(body.hash))
      throw new BadBody(`is damaged: SHA-256 of big/${file} differs`)
  }

  #openRecord(body: StoredBody): number {
    const { segment, offset } = body
    if (segment === null || offset === null)
      throw new BadBody('is nowhere: neither in a segment nor in a file')
    const where = `in segment ${segment} at ${offset}`
    const name = this.#places.segment(segment)
    if (name === null) throw new BadBody(`is lost: there is no segment ${segment}`)
    const { fd, octets } = this.#open(name, `segment ${segment}`)
    const end = offset + recordHeaderOctets + body.stored
    // The one that is written to has become longer since it was opened.
    if (octets < end && fstatSync(fd).size < end)
      throw new BadBody(`lies beyond the end of its file ${where}`)
    readWhole(fd, this.#header, offset)
    const header = readRecordHeader(this.#header, 0)
    if (header === null) throw new BadBody(`is lost: no record begins ${where}`)
    if (header.octets !== body.octets || header.stored !== body.stored || header.codec !== body.codec)
      throw new BadBody(`has another length ${where} than the tables say`)
    if (!Buffer.from(header.hash).equals(body.hash))
      throw new BadBody(`is another one: ${where} lies a body with another hash`)
    return fd
  }

  #readRecord(body: StoredBody): Uint8Array {
    const fd = this.#openRecord(body)
    const { crc } = readRecordHeader(this.#header, 0)!
    const where = `in segment ${body.segment} at ${body.offset}`
    const stored = Buffer.allocUnsafe(body.stored)
    readWhole(fd, stored, body.offset! + recordHeaderOctets)
    if (crc32(stored) !== crc) throw new BadBody(`is damaged: the checksum differs ${where}`)
    const octets = unpack(body, stored, where)
    const sha = createHash('sha256').update(octets).digest()
    if (!sha.subarray(0, 16).equals(body.hash)) throw new BadBody(`is damaged: SHA-256 differs ${where}`)
    return octets
  }

  #open(name: string, what: string): { fd: number; octets: number } {
    if (this.#file?.name === name) return this.#file
    this.close()
    if (!existsSync(name)) throw new BadBody(`is lost: there is no file of ${what}`)
    try {
      const fd = openSync(name, 'r')
      this.#file = { name, fd, octets: fstatSync(fd).size }
    } catch (error) {
      throw new BadBody(`cannot be read: ${(error as Error).message}`, { cause: error })
    }
    return this.#file
  }
}

function unpack(body: StoredBody, stored: Buffer, where: string): Buffer {
  if (body.codec === 0) return stored
  if (body.codec !== 1) throw new BadBody(`is packed in way ${body.codec}, which this program does not know`)
  try {
    const octets = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, body.octets) })
    if (octets.length === body.octets) return octets
  } catch {
    // As below.
  }
  throw new BadBody(`is damaged: it cannot be unpacked ${where}`)
}

function readWhole(fd: number, buffer: Buffer, position: number): void {
  try {
    for (let got = 0; got < buffer.length; ) {
      const more = readSync(fd, buffer, got, buffer.length - got, position + got)
      if (more === 0) throw new BadBody('ends too early')
      got += more
    }
  } catch (error) {
    if (error instanceof BadBody) throw error
    throw new BadBody(`cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
