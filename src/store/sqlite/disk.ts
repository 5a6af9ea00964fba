import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
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
  /** Opens a file to write at its end. */
  openToAppend(file: string): number
  size(fd: number): number
  /** Writes all of it. */
  write(fd: number, chunks: readonly Uint8Array[]): void
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

export const systemDisk: Disk = {
  makeFolder: (folder) => void mkdirSync(folder, { recursive: true }),
  list: (folder) => readdirSync(folder),
  modifiedAt: (file) => statSync(file).mtimeMs,
  create: (file) => openSync(file, 'wx', 0o600),
  openToAppend: (file) => openSync(file, 'a', 0o600),
  size: (fd) => fstatSync(fd).size,
  write(fd, chunks) {
    for (let from = 0; from < chunks.length; from += vectorsMax)
      writeAll(fd, chunks.slice(from, from + vectorsMax))
  },
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

function writeAll(fd: number, chunks: readonly Uint8Array[]): void {
  const wanted = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const written = writevSync(fd, chunks)
  if (written === wanted) return
  // A short write is what a disk that fills up does first; the next call says why.
  const rest = Buffer.concat(chunks).subarray(written)
  for (let at = 0; at < rest.length; ) at += writeSync(fd, rest, at)
}
