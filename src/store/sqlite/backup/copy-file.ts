/** Copies files so that a whole one has its name and anything else has not, and says what was copied. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { partSuffix } from './layout.ts'

const pieceOctets = 1024 * 1024
/** So that no sync of somebody else has to wait for hundreds of megabytes of ours. */
const syncEveryOctets = 8 * 1024 * 1024
const sampleOctets = 4_096
const edgeOctets = 65_536
const samples = 32

export type Copied = (octets: number) => void

/** A source that ends too early. */
export class FileTooShort extends Error {}

/**
 * Copies the first octets of a file; the target is synced and has its name when this returns, its folder is not synced.
 *
 * @returns SHA-256 in hexadecimal.
 * @throws {FileTooShort} @throws {Error} The disk's own.
 */
export function copyFile(from: string, to: string, octets: number, copied: Copied): string {
  const source = openSync(from, 'r')
  let target: number | null = null
  try {
    if (fstatSync(source).size < octets) throw new FileTooShort(`${from} is shorter than ${octets} octets`)
    target = openSync(to + partSuffix, 'w', 0o600)
    const sha256 = pump(source, target, octets, copied)
    fdatasyncSync(target)
    closeSync(target)
    target = null
    renameSync(to + partSuffix, to)
    return sha256
  } finally {
    closeSync(source)
    if (target !== null) {
      closeSync(target)
      rmSync(to + partSuffix, { force: true })
    }
  }
}

/** Another name for the same octets on the disk. @returns SHA-256 in hexadecimal. */
export function linkFile(from: string, to: string, octets: number, copied: Copied): string {
  const sha256 = hashFile(from, octets, copied)
  rmSync(to, { force: true })
  linkSync(from, to)
  return sha256
}

/** SHA-256 of the first octets, in hexadecimal. @throws {FileTooShort} */
export function hashFile(file: string, octets: number, read: Copied = () => {}): string {
  const fd = openSync(file, 'r')
  try {
    if (fstatSync(fd).size < octets) throw new FileTooShort(`${file} is shorter than ${octets} octets`)
    return pump(fd, null, octets, read)
  } finally {
    closeSync(fd)
  }
}

/**
 * Tells a segment from another one of the same number and length without reading all of it: from its beginning, its end
 * and places between. Segments only grow, and a sealed one never changes, so what differs differs at an end at least; one
 * that was damaged may differ anywhere, and is taken for the same when no sample meets the damage: then the backup has
 * what the segment was before.
 */
export function fingerprint(file: string, octets: number): string {
  const fd = openSync(file, 'r')
  try {
    if (fstatSync(fd).size < octets) throw new FileTooShort(`${file} is shorter than ${octets} octets`)
    const sha = createHash('sha256').update(`${octets}\n`)
    const buffer = Buffer.allocUnsafeSlow(edgeOctets)
    const add = (position: number, length: number) => {
      const from = Math.max(0, Math.min(position, octets - length))
      const wanted = Math.min(length, octets)
      readWhole(fd, buffer, wanted, from)
      sha.update(buffer.subarray(0, wanted))
    }
    add(0, edgeOctets)
    add(octets - edgeOctets, edgeOctets)
    for (let i = 1; i < samples; i++) add(Math.floor((octets / samples) * i), sampleOctets)
    return sha.digest('hex').slice(0, 16)
  } finally {
    closeSync(fd)
  }
}

function pump(source: number, target: number | null, octets: number, copied: Copied): string {
  const sha = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(pieceOctets, octets)))
  let unsynced = 0
  for (let at = 0; at < octets; ) {
    const length = Math.min(buffer.length, octets - at)
    readWhole(source, buffer, length, at)
    const piece = buffer.subarray(0, length)
    sha.update(piece)
    if (target !== null) {
      for (let written = 0; written < length; ) written += writeSync(target, piece, written)
      unsynced += length
      if (unsynced >= syncEveryOctets) {
        fdatasyncSync(target)
        unsynced = 0
      }
    }
    at += length
    copied(length)
  }
  return sha.digest('hex')
}

function readWhole(fd: number, buffer: Buffer, length: number, position: number): void {
  for (let got = 0; got < length; ) {
    const more = readSync(fd, buffer, got, length - got, position + got)
    if (more === 0) throw new FileTooShort('A file became shorter while it was read')
    got += more
  }
}
