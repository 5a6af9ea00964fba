/**
 * Puts a whole backup into an empty data folder. Everything is written beside its place and gets its name at the end, so
 * that an interrupted restore leaves no store that lacks something; the same command begins it anew.
 *
 * What the restored store must not do is give out numbers again that the lost one gave out after the backup: clients
 * would take other messages for those they know. So it begins far above, docs/decisions/121.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RestoreReport, WorkProgress } from '../../backup.ts'
import { BackupUnusable } from '../../errors.ts'
import { openForWriting } from '../database.ts'
import { migrate, newestVersion } from '../migrate.ts'
import { takeFolder } from '../owner.ts'
import { segmentName } from '../segment-name.ts'
import { largeBodies } from './big-copies.ts'
import { copyFile } from './copy-file.ts'
import {
  makePrivateFolder,
  makeTopFolder,
  partSuffix,
  shardFolder,
  syncFolder,
  tablesFile,
} from './layout.ts'
import { type KeptFile, type Manifest, findManifest, octetsOf } from './manifest.ts'
import { renumber } from './renumber.ts'
import { isOurDisk } from './segment-copies.ts'

export interface RestoreRequest {
  /** Of all backups. */
  readonly folder: string
  /** As the person wrote it; null: the newest. */
  readonly at: string | null
  /** The data folder to be. */
  readonly into: string
  /** Nothing was given out after the backup, because the server had been stopped: clients may go on as they are. */
  readonly keepUidValidity: boolean
  /** Leave out what waited to be sent: most of it has been sent since. */
  readonly withoutQueue: boolean
  readonly nowMs: number
}

/** @throws {BackupUnusable} @throws {StoreInUse} @throws {Error} The disk's own. */
export function restoreAll(
  request: RestoreRequest,
  progress: (progress: WorkProgress) => void,
): RestoreReport {
  const { folder, into } = request
  const manifest = findManifest(folder, request.at)
  if (manifest.schema > newestVersion()) {
    throw new BackupUnusable(
      `This backup has tables of version ${manifest.schema}, this program knows ${newestVersion()}: use a newer Posthorn`,
    )
  }
  requireEmpty(into, manifest)
  makeTopFolder(into)
  const letGo = takeFolder(into)
  try {
    return new Restore(request, manifest, progress).run()
  } finally {
    letGo()
  }
}

/** What an interrupted restore leaves counts as nothing: as long as there are other files of it, there is its shard. */
function requireEmpty(into: string, { others }: Manifest): void {
  if (!existsSync(dirname(into)))
    throw new BackupUnusable(`${dirname(into)} is not there: make that folder first`)
  const all = existsSync(into) ? readdirSync(into) : []
  const interrupted = all.includes(shardFolder + partSuffix)
  const files = interrupted ? others.flatMap(({ file }) => [file, file + partSuffix]) : []
  const leftOver = ['owner.db', 'owner.db-journal', shardFolder + partSuffix, ...files]
  const found = all.filter((name) => !leftOver.includes(name))
  if (found.length === 0) return
  throw new BackupUnusable(`${into} is not empty: there is ${found.slice(0, 3).join(', ')}`)
}

class Restore {
  readonly #request: RestoreRequest
  readonly #manifest: Manifest
  readonly #shard: string
  readonly #progress: (octets: number) => void
  readonly #damaged: string[] = []

  constructor(request: RestoreRequest, manifest: Manifest, progress: (progress: WorkProgress) => void) {
    this.#request = request
    this.#manifest = manifest
    this.#shard = join(request.into, shardFolder + partSuffix)
    const total = octetsOf(manifest)
    let done = 0
    this.#progress = (octets) => {
      done += octets
      progress({ step: 'messages', done, total, unit: 'octets' })
    }
  }

  run(): RestoreReport {
    const { folder, into } = this.#request
    const { name, segments, tables, others, takenAtMs, counts } = this.#manifest
    this.#removeLeftOver()
    makePrivateFolder(join(this.#shard, 'seg'))
    syncFolder(into)
    if (!this.#copy(join(folder, name, tables.file), join(this.#shard, tablesFile), tables)) {
      throw new BackupUnusable(
        `${join(folder, name, tables.file)} is damaged: restore another backup with --at`,
      )
    }
    for (const segment of segments) {
      this.#copy(join(folder, segment.file), join(this.#shard, segmentName(segment.segment)), segment)
    }
    this.#copyBig()
    for (const other of others) this.#copy(join(folder, name, other.file), join(into, other.file), other)
    const queued = this.#adjust()
    for (const within of ['seg', '.']) syncFolder(join(this.#shard, within))
    // The store has its name when all that belongs to it has.
    syncFolder(into)
    renameSync(this.#shard, join(into, shardFolder))
    syncFolder(into)
    return {
      ...{ name, takenAt: takenAtMs, accounts: counts.accounts, messages: counts.messages, queued },
      ...{ octets: octetsOf(this.#manifest), damaged: [...this.#manifest.missing, ...this.#damaged] },
    }
  }

  /** The shard last: it tells what the others are. */
  #removeLeftOver(): void {
    const { into } = this.#request
    for (const { file } of this.#manifest.others)
      for (const end of ['', partSuffix]) rmSync(join(into, file + end), { force: true })
    syncFolder(into)
    rmSync(this.#shard, { recursive: true, force: true })
  }

  /** One that is damaged is put there too, as far as it goes: most of what it holds may be whole. */
  #copy(from: string, to: string, kept: KeptFile): boolean {
    try {
      if (copyFile(from, to, kept.octets, this.#progress) === kept.sha256) return true
      this.#damaged.push(`${from}: its content is not what was written`)
    } catch (error) {
      if (isOurDisk(error)) throw error
      this.#damaged.push(`${from}: ${(error as Error).message}`)
    }
    return false
  }

  #copyBig(): void {
    const sql = openForWriting(join(this.#shard, tablesFile))
    const folders = new Set<string>()
    try {
      for (const [file, octets] of largeBodies(sql)) {
        const to = join(this.#shard, 'big', file)
        makePrivateFolder(dirname(to))
        folders.add(dirname(to))
        try {
          copyFile(join(this.#request.folder, 'big', file), to, octets, this.#progress)
        } catch (error) {
          if (isOurDisk(error)) throw error
          this.#damaged.push(`big/${file}: ${(error as Error).message}`)
        }
      }
    } finally {
      sql.close()
    }
    for (const folder of folders) syncFolder(folder)
    if (folders.size > 0) syncFolder(join(this.#shard, 'big'))
  }

  /** @returns How many wait to be sent. */
  #adjust(): number {
    const { keepUidValidity, withoutQueue, nowMs } = this.#request
    const sql = openForWriting(join(this.#shard, tablesFile))
    try {
      migrate(sql)
      sql.exec('BEGIN IMMEDIATE')
      if (!keepUidValidity) renumber(sql, this.#manifest.takenAtMs, nowMs)
      if (withoutQueue) {
        sql.exec('DELETE FROM blob WHERE blob IN (SELECT blob FROM queue)')
        sql.exec('DELETE FROM queue; DELETE FROM queue_recipient')
      }
      // Who held a lease is no more.
      sql.exec('UPDATE queue SET leased_until = NULL, due_at = next_attempt_at')
      // Bodies go to a new segment: the old server's and this one's are never taken for the same.
      sql.exec('UPDATE segment SET sealed = 1')
      sql.exec('COMMIT')
      return Number(sql.get('SELECT count(*) FROM queue')?.[0])
    } finally {
      sql.close()
    }
  }
}
