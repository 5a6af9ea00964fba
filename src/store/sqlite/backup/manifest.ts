import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupSummary } from '../../backup.ts'
import { BackupUnusable } from '../../errors.ts'
import { backupNames, chooseBackup, manifestFile, partSuffix, syncFolder, tablesFile } from './layout.ts'

/** Grows when an older program could not restore such a backup. */
const format = 1

export interface KeptFile {
  /** Below the backup's own folder. */
  readonly file: string
  readonly octets: number
  /** Hexadecimal. */
  readonly sha256: string
}

export interface KeptSegment extends KeptFile {
  readonly segment: number
}

export interface Manifest {
  readonly what: 'posthorn backup'
  readonly format: number
  readonly name: string
  /** ISO 8601; `takenAtMs` is the same. */
  readonly takenAt: string
  readonly takenAtMs: number
  /** Version of the tables. */
  readonly schema: number
  readonly tables: KeptFile
  /** `file` is below the folder of all backups. */
  readonly segments: readonly KeptSegment[]
  /** Their names and hashes are in the tables. */
  readonly big: { readonly count: number; readonly octets: number }
  readonly others: readonly KeptFile[]
  readonly counts: { readonly accounts: number; readonly messages: number; readonly queued: number }
  /** What the store itself lacked. */
  readonly missing: readonly string[]
}

/** From here on the backup is one. */
export function writeManifest(folder: string, manifest: Omit<Manifest, 'what' | 'format'>): void {
  const file = join(folder, manifest.name, manifestFile)
  const whole: Manifest = { what: 'posthorn backup', format, ...manifest }
  const fd = openSync(file + partSuffix, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(whole, null, 1)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(file + partSuffix, file)
  syncFolder(join(folder, manifest.name))
  syncFolder(folder)
}

/** @throws {BackupUnusable} It cannot be read, or is of a newer program. */
export function readManifest(folder: string, name: string): Manifest {
  const file = join(folder, name, manifestFile)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new BackupUnusable(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (!isManifest(value) || value.name !== name)
    throw new BackupUnusable(`${file} is damaged, or not of Posthorn`)
  if (value.format > format)
    throw new BackupUnusable(`${file} was written by a newer Posthorn: format ${value.format}`)
  return value
}

function isManifest(value: unknown): value is Manifest {
  const found = value as Partial<Manifest> | null
  return (
    typeof found === 'object' &&
    found?.what === 'posthorn backup' &&
    typeof found.format === 'number' &&
    typeof found.takenAtMs === 'number' &&
    typeof found.schema === 'number' &&
    isKept(found.tables) &&
    found.tables.file === tablesFile &&
    Array.isArray(found.segments) &&
    found.segments.every((one) => Number.isSafeInteger(one?.segment) && isKept(one)) &&
    Array.isArray(found.others) &&
    found.others.every((one) => isKept(one) && /^[a-z][a-z.-]*$/.test(one.file)) &&
    typeof found.counts?.messages === 'number' &&
    typeof found.big?.octets === 'number' &&
    Array.isArray(found.missing)
  )
}

function isKept(value: unknown): value is KeptFile {
  const found = value as Partial<KeptFile> | null
  return (
    typeof found?.file === 'string' &&
    !found.file.split('/').includes('..') &&
    Number.isSafeInteger(found.octets) &&
    /^[0-9a-f]{64}$/.test(found.sha256 ?? '')
  )
}

/** Names of those that have a manifest, oldest first. */
export function completeNames(folder: string): string[] {
  return backupNames(folder).filter((name) => existsSync(join(folder, name, manifestFile)))
}

/** @throws {BackupUnusable} There is none, or it cannot be read. */
export function findManifest(folder: string, at: string | null): Manifest {
  const names = completeNames(folder)
  if (names.length === 0) throw new BackupUnusable(`There is no complete backup in ${folder}`)
  return readManifest(folder, chooseBackup(names, at))
}

export function octetsOf({ tables, segments, big, others }: Manifest): number {
  return [tables, ...segments, ...others].reduce((sum, { octets }) => sum + octets, big.octets)
}

/** The backups of a folder, oldest first; one that was interrupted is none. */
export function listBackups(folder: string): BackupSummary[] {
  return completeNames(folder).map((name) => {
    try {
      const manifest = readManifest(folder, name)
      const { takenAtMs: takenAt, counts } = manifest
      const { accounts, messages } = counts
      return { name, takenAt, accounts, messages, octets: octetsOf(manifest), broken: null }
    } catch (error) {
      return { name, takenAt: 0, accounts: 0, messages: 0, octets: 0, broken: (error as Error).message }
    }
  })
}
