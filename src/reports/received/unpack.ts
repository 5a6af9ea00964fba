/**
 * Takes a report out of what it was packed in: gzip (RFC 1952), a zip archive, or nothing. What it claims about its size is
 * not believed; past the bound it is a bomb. For a worker thread: nothing here waits.
 */
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { BadReport } from '../bad-report.ts'

/** @param octetsMax Of the report itself. @throws {BadReport} */
export function unpack(octets: Uint8Array, octetsMax: number): Uint8Array {
  const view = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  if (view[0] === 0x1f && view[1] === 0x8b) return decompress(gunzipSync, view, octetsMax)
  if (view.length > 4 && view.readUInt32LE(0) === localSignature) return unzip(view, octetsMax)
  // RFC 1950: some call it zip.
  if (view[0] === 0x78 && view.length > 2 && view.readUInt16BE(0) % 31 === 0)
    return decompress(inflateSync, view, octetsMax)
  if (view.length > octetsMax) throw tooLarge(octetsMax)
  return view
}

type Decompress = (octets: Uint8Array, options: { maxOutputLength: number }) => Buffer

function decompress(with_: Decompress, octets: Uint8Array, octetsMax: number): Buffer {
  try {
    return with_(octets, { maxOutputLength: octetsMax })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(octetsMax)
    throw new BadReport('It cannot be decompressed', { cause: error })
  }
}

function tooLarge(octetsMax: number): BadReport {
  return new BadReport(`It is longer than ${octetsMax} octets`)
}

/** APPNOTE.TXT of PKWARE §4.3.7, §4.3.12, §4.3.16. */
const localSignature = 0x04034b50
const centralSignature = 0x02014b50
const endSignature = 0x06054b50
const endOctets = 22
const commentMax = 65_535
const entriesMax = 20

interface Entry {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly packedOctets: number
  readonly offset: number
}

/** The first report of an archive; archives within are not looked into. */
function unzip(view: Buffer, octetsMax: number): Uint8Array {
  const entries = readDirectory(view)
  const entry = entries.find(({ name }) => /\.(?:xml|json)$/i.test(name)) ?? entries[0]
  if (entry === undefined) throw new BadReport('The archive is empty')
  // §4.4.4: bit 0 is for encryption.
  if ((entry.flags & 1) !== 0) throw new BadReport('The archive is encrypted')
  const packed = contentOf(view, entry)
  if (entry.method === 8) return decompress(inflateRawSync, packed, octetsMax)
  if (entry.method !== 0) throw new BadReport(`The archive is packed by method ${entry.method}`)
  if (packed.length > octetsMax) throw tooLarge(octetsMax)
  return packed
}

function readDirectory(view: Buffer): Entry[] {
  const end = findEnd(view)
  const count = view.readUInt16LE(end + 10)
  let at = view.readUInt32LE(end + 16)
  if (count > entriesMax) throw new BadReport(`The archive has more than ${entriesMax} files`)
  const entries: Entry[] = []
  for (let n = 0; n < count; n++) {
    if (at + 46 > view.length || view.readUInt32LE(at) !== centralSignature) throw broken()
    const nameOctets = view.readUInt16LE(at + 28)
    const name = view.toString('latin1', at + 46, at + 46 + nameOctets)
    if (!name.endsWith('/')) {
      entries.push({
        name,
        flags: view.readUInt16LE(at + 8),
        method: view.readUInt16LE(at + 10),
        packedOctets: view.readUInt32LE(at + 20),
        offset: view.readUInt32LE(at + 42),
      })
    }
    at += 46 + nameOctets + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32)
  }
  return entries
}

function findEnd(view: Buffer): number {
  const lowest = Math.max(0, view.length - endOctets - commentMax)
  for (let at = view.length - endOctets; at >= lowest; at--)
    if (view.readUInt32LE(at) === endSignature) return at
  throw broken()
}

function contentOf(view: Buffer, { offset, packedOctets }: Entry): Buffer {
  if (offset + 30 > view.length || view.readUInt32LE(offset) !== localSignature) throw broken()
  const from = offset + 30 + view.readUInt16LE(offset + 26) + view.readUInt16LE(offset + 28)
  if (from + packedOctets > view.length) throw broken()
  return view.subarray(from, from + packedOctets)
}

function broken(): BadReport {
  return new BadReport('The archive is broken')
}
