/**
 * Makes one backup. Order: the tables first, as one moment has them; then the bodies that they name, which were on the
 * disk before their rows; the manifest last. Whoever calls holds the store's files meanwhile: nothing that the tables name
 * can go. What an interruption leaves is no backup; its finished segments and large bodies are used by the next one.
 */
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { BackupReport, BackupRequest, WorkProgress } from '../../backup.ts'
import { BackupUnusable } from '../../errors.ts'
import { openForReading } from '../database.ts'
import type { Sql } from '../database.ts'
import { isDamage } from '../disk-failure.ts'
import { takeFolder } from '../owner.ts'
import { BigCopies } from './big-copies.ts'
import { copyFile, hashFile } from './copy-file.ts'
import {
  backupNames,
  freshName,
  makePrivateFolder,
  makeTopFolder,
  shardFolder,
  syncFolder,
  tablesFile,
} from './layout.ts'
import { lowerPriority } from '../lower-priority.ts'
import type { KeptFile, Manifest } from './manifest.ts'
import { completeNames, octetsOf, readManifest, writeManifest } from './manifest.ts'
import { prune } from './prune.ts'
import { SegmentCopies } from './segment-copies.ts'
import { snapshot } from './snapshot.ts'

/**
 * A self-made certificate and its key: clients may have been told to trust exactly this one. And the key of rewritten
 * addresses: bounces of what is under way come back to them.
 */
const smallFiles = ['self-made.pem', 'forwarding.key']
/** What guards remember (bans, whose sending was stopped, who passed greylisting), and reports about our domains. */
const besideFiles = ['notes.db', 'reports.db']
const journeyFile = 'journey.db'

export interface BackupData {
  /** The data folder. */
  readonly data: string
  readonly request: BackupRequest
  readonly nowMs: number
}

/** @throws {BackupUnusable} @throws {StoreInUse} Another backup is written into the folder. @throws {Error} The disk's own. */
export function makeBackup(
  { data, request, nowMs }: BackupData,
  progress: (progress: WorkProgress) => void,
): BackupReport {
  const startedAt = performance.now()
  const { folder } = request
  checkFolder(data, folder)
  makeTopFolder(folder)
  const letGo = takeFolder(folder)
  try {
    for (const name of interrupted(folder)) rmSync(join(folder, name), { recursive: true, force: true })
    const report = fill({ data, request, nowMs }, freshName(folder, nowMs), progress)
    return { ...report, tookMs: Math.round(performance.now() - startedAt) }
  } finally {
    letGo()
  }
}

function interrupted(folder: string): string[] {
  const complete = new Set(completeNames(folder))
  return backupNames(folder).filter((name) => !complete.has(name))
}

/** @param given Its time lies before the moment that the backup is of: what was acknowledged by then is in it. */
function fill(
  { data, request, nowMs: takenAtMs }: BackupData,
  name: string,
  progress: (progress: WorkProgress) => void,
): Omit<BackupReport, 'tookMs'> {
  const { folder } = request
  const own = join(folder, name)
  makePrivateFolder(own)
  progress({ step: 'tables', done: 0, total: 0, unit: 'octets' })
  snapshot(join(data, shardFolder, tablesFile), join(own, tablesFile))
  const beside = request.journeys ? [...besideFiles, journeyFile] : besideFiles
  const damaged = beside.flatMap((file) => keepBeside(join(data, file), join(own, file)))
  lowerPriority()
  const sql = openForReading(join(own, tablesFile))
  try {
    const older = completeNames(folder).flatMap((other) => manifestOrNone(folder, other))
    const total = bodyOctets(sql)
    let done = 0
    const copied = (octets: number) => {
      done += octets
      progress({ step: 'messages', done, total, unit: 'octets' })
    }
    const shard = join(data, shardFolder)
    const segments = new SegmentCopies({ shard, folder, link: request.link, older, copied })
    segments.copyAll(sql)
    const big = new BigCopies({ shard, folder, copied })
    big.copyAll(sql)
    const others = keepOthers(data, own, beside)
    const missing = [...segments.missing, ...big.missing, ...damaged]
    const manifest: Omit<Manifest, 'what' | 'format'> = {
      ...{ name, takenAt: new Date(takenAtMs).toISOString(), takenAtMs },
      schema: Number(sql.get('SELECT max(version) FROM schema_version')?.[0]),
      tables: keptFile(own, tablesFile),
      segments: segments.kept,
      big: { count: big.count, octets: big.octets },
      ...{ others, counts: countsOf(sql), missing },
    }
    writeManifest(folder, manifest)
    const whole: Manifest = { what: 'posthorn backup', format: 1, ...manifest }
    return {
      ...{ name, takenAt: takenAtMs, ...manifest.counts, octets: octetsOf(whole) },
      octetsWritten: segments.octetsWritten + big.octetsWritten + octetsOf(whole) - bodyOctetsOf(whole),
      ...{ segments: segments.kept.length, segmentsWritten: segments.written },
      ...{ largeBodies: big.count, largeBodiesWritten: big.written },
      removed: prune(folder, request.keep),
      missing,
    }
  } finally {
    sql.close()
  }
}

function bodyOctetsOf({ segments, big }: Manifest): number {
  return segments.reduce((sum, { octets }) => sum + octets, big.octets)
}

function manifestOrNone(folder: string, name: string): Manifest[] {
  try {
    return [readManifest(folder, name)]
  } catch {
    // One that was damaged is for `verify` to tell; here it only knows nothing.
    return []
  }
}

/** @returns What is damaged: no mail is in it, and the next backup must not fail for it. */
function keepBeside(from: string, to: string): string[] {
  if (!existsSync(from)) return []
  try {
    snapshot(from, to)
    return []
  } catch (error) {
    if (!isDamage(error)) throw error
    rmSync(to, { force: true })
    return [`${basename(from)}: ${(error as Error).message}`]
  }
}

function keepOthers(data: string, own: string, beside: readonly string[]): KeptFile[] {
  const others: KeptFile[] = []
  for (const name of smallFiles) {
    const file = join(data, name)
    if (!existsSync(file)) continue
    copyFile(file, join(own, name), statSync(file).size, () => {})
    others.push(keptFile(own, name))
  }
  for (const name of beside) if (existsSync(join(own, name))) others.push(keptFile(own, name))
  syncFolder(own)
  return others
}

function keptFile(folder: string, file: string): KeptFile {
  const octets = statSync(join(folder, file)).size
  return { file, octets, sha256: hashFile(join(folder, file), octets) }
}

function bodyOctets(sql: Sql): number {
  const [inSegments] = sql.get<readonly [number]>('SELECT coalesce(sum(octets), 0) FROM segment')!
  const [inFiles] = sql.get<readonly [number]>(
    'SELECT coalesce(sum(stored), 0) FROM (SELECT max(stored) AS stored FROM blob WHERE file IS NOT NULL GROUP BY file)',
  )!
  return inSegments + inFiles
}

function countsOf(sql: Sql): Manifest['counts'] {
  const count = (text: string) => Number(sql.get(text)?.[0])
  return {
    accounts: count('SELECT count(*) FROM account'),
    messages: count('SELECT coalesce(sum(total), 0) FROM mailbox'),
    queued: count('SELECT count(*) FROM queue'),
  }
}

/** The folder above must be there: a disk that is not mounted must not be replaced by a folder. Neither may lie in the other: a backup would copy itself, or go with what it is a copy of. */
function checkFolder(data: string, folder: string): void {
  if (!existsSync(dirname(folder)))
    throw new BackupUnusable(
      `${dirname(folder)} is not there: is the disk mounted? Else make that folder first`,
    )
  const [ours, theirs] = [real(data), real(folder)]
  if (`${theirs}/`.startsWith(`${ours}/`))
    throw new BackupUnusable(
      `${folder} lies in the data folder: choose a folder elsewhere, best on another disk`,
    )
  if (`${ours}/`.startsWith(`${theirs}/`))
    throw new BackupUnusable(`${folder} holds the data folder itself: choose another folder`)
  if (existsSync(join(folder, shardFolder)) || existsSync(join(folder, tablesFile)))
    throw new BackupUnusable(`${folder} is the data folder of a server: choose another folder`)
}

/** Without symbolic links, as far as it exists. */
function real(path: string): string {
  const whole = resolve(path)
  if (existsSync(whole)) return realpathSync(whole)
  const parent = dirname(whole)
  return parent === whole ? whole : join(real(parent), whole.slice(parent.length))
}
