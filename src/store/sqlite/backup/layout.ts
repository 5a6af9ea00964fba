/**
 * A backup folder:
 *
 *     <time>/meta.db          the tables, as one consistent moment had them
 *     <time>/notes.db         what guards remember; reports.db, reports about our domains; journey.db if it was asked for
 *     <time>/self-made.pem    the certificate, if the server made one
 *     <time>/forwarding.key    the key of addresses that forwarding rewrites, if there is one
 *     <time>/manifest.json    written last: without it this is no backup but what an interruption left
 *     seg/<n>-<octets>-<fingerprint>.seg    segments, shared by all backups that need them
 *     big/<2 hex>/<id>        large bodies, shared too
 *     owner.db                keeps a second backup out
 *
 * A file below seg/ and big/ has its name only when it is whole and on the disk; until then it ends with `.part`.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BackupUnusable } from '../../errors.ts'

export const tablesFile = 'meta.db'
export const manifestFile = 'manifest.json'
export const partSuffix = '.part'
/** Below the data folder. */
export const shardFolder = 'shard-00'

const namePattern = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-\d+)?$/

/** A time as a name that every file system takes, and that sorts. */
export function backupName(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z`
}

/** All that have the name of a backup, interrupted ones too, oldest first. */
export function backupNames(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => namePattern.test(name))
        .sort(compareNames)
    : []
}

/** Two of one second are told apart by a number at the end. */
function compareNames(a: string, b: string): number {
  return a.slice(0, 20) < b.slice(0, 20)
    ? -1
    : a.slice(0, 20) > b.slice(0, 20)
      ? 1
      : numberOf(a) - numberOf(b)
}

/** One that sorts after all there are, also when the clock was set back: the newest is what `--keep` keeps. */
export function freshName(folder: string, atMs: number): string {
  const name = backupName(atMs)
  const newest = backupNames(folder).at(-1)
  if (newest === undefined || newest.slice(0, 20) < name) return name
  return `${newest.slice(0, 20)}-${numberOf(newest) + 1}`
}

function numberOf(name: string): number {
  return Number(name.slice(21) || 1)
}

export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

/** A folder whose own name is to last; the one above is there. */
export function makeTopFolder(folder: string): void {
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
  try {
    syncFolder(dirname(folder))
  } catch {
    // Not ours to open, so it was not us who put the name there.
  }
}

/** Makes names in a folder last. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Which of some backups a person means.
 *
 * @param names Complete ones, oldest first.
 * @param at Its name, the beginning of one (`2026-11-23`), or a time that Date reads: then the newest up to it. Null: the newest.
 * @throws {BackupUnusable}
 */
export function chooseBackup(names: readonly string[], at: string | null): string {
  const newest = names.at(-1)
  if (newest === undefined) throw new BackupUnusable('There is no complete backup in this folder')
  if (at === null) return newest
  // Another one of the same second begins with this name, and is not meant.
  if (namePattern.test(at)) {
    if (names.includes(at)) return at
    throw new BackupUnusable(`There is no backup ${at}`)
  }
  const begun = names.filter((name) => name.startsWith(at))
  if (begun.length > 0) return begun.at(-1)!
  const atMs = Date.parse(at)
  if (Number.isNaN(atMs)) throw new BackupUnusable(`There is no backup "${at}", and it is no time`)
  const earlier = names.filter((name) => name <= `${backupName(atMs)}~`)
  if (earlier.length > 0) return earlier.at(-1)!
  throw new BackupUnusable(`There is no backup of ${at} or before; the oldest is ${names[0]}`)
}
