import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
  writevSync,
} from 'node:fs'

/** What the store asks of the disk for bodies, so that a test can fail any one call. All of it waits: worker threads only. */
export interface Disk {
  makeFolder(folder: string): void
  list(folder: string): string[]
  modifiedAt(file: string): number
  /** Makes a file that must not exist. */
  create(file: string): number
  /** Opens a file that is there, to write on. */
  openToWrite(file: string): number
  size(fd: number): number
  /** Writes all of it, from `at` on, or where the last write ended. */
  write(fd: number, chunks: readonly Uint8Array[], at?: number): void
  /** Writes zeros between two offsets, so that the file has room which later writes only overwrite. */
  fill(fd: number, from: number, to: number): void
  truncate(fd: number, octets: number): void
  sync(fd: number): void
  /** A file that was made or renamed is found again after a power cut only when its folder has been synced too. */
  syncFolder(folder: string): void
  rename(from: string, to: string): void
  remove(file: string): void
  close(fd: number): void
  /** Room that is left where a folder is; infinite where the file system does not say. */
  freeOctets(folder: string): number
}

/** Vectors of one `writev`; the system takes 1,024. */
const vectorsMax = 1_000

const zeros = Buffer.alloc(64 * 1024)

export const systemDisk: Disk = {
  makeFolder: (folder) => void mkdirSync(folder, { recursive: true }),
  list: (folder) => readdirSync(folder),
  modifiedAt: (file) => statSync(file).mtimeMs,
  create: (file) => openSync(file, 'wx', 0o600),
  openToWrite: (file) => openSync(file, 'r+'),
  size: (fd) => fstatSync(fd).size,
  write(fd, chunks, at) {
    let to = at ?? null
    for (let from = 0; from < chunks.length; from += vectorsMax) {
      const written = writeAll(fd, chunks.slice(from, from + vectorsMax), to)
      if (to !== null) to += written
    }
  },
  fill(fd, from, to) {
    for (let at = from; at < to; at += zeros.length)
      writeAll(fd, [zeros.subarray(0, Math.min(zeros.length, to - at))], at)
  },
  truncate: (fd, octets) => ftruncateSync(fd, octets),
  sync: (fd) => fdatasyncSync(fd),
  syncFolder(folder) {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  },
  rename: (from, to) => renameSync(from, to),
  remove: (file) => unlinkSync(file),
  close: (fd) => closeSync(fd),
  freeOctets(folder) {
    const { blocks, bavail, bsize } = statfsSync(folder)
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
  },
}

/** @returns How many octets they are. */
function writeAll(fd: number, chunks: readonly Uint8Array[], to: number | null): number {
  const wanted = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const written = to === null ? writevSync(fd, chunks) : writevSync(fd, chunks, to)
  if (written === wanted) return wanted
  // A short write is what a disk that fills up does first; the next call says why.
  const rest = Buffer.concat(chunks).subarray(written)
  for (let at = 0; at < rest.length; ) {
    at += writeSync(fd, rest, at, rest.length - at, to === null ? null : to + written + at)
  }
  return wanted
}
