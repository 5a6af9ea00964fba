import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Sql } from '../database.ts'
import { segmentFile, segmentName } from '../segment-name.ts'
import { copyFile, fingerprint, hashFile, linkFile } from './copy-file.ts'
import { makePrivateFolder, syncFolder } from './layout.ts'
import type { KeptSegment, Manifest } from './manifest.ts'

interface SegmentSource {
  readonly shard: string
  /** Of all backups. */
  readonly folder: string
  readonly link: boolean
  readonly older: readonly Manifest[]
  copied(octets: number): void
}

/** The segments that a backup needs, those that are in the folder already not written again. */
export class SegmentCopies {
  readonly #source: SegmentSource
  readonly #known: ReadonlyMap<string, KeptSegment>
  readonly kept: KeptSegment[] = []
  readonly missing: string[] = []
  written = 0
  octetsWritten = 0

  constructor(source: SegmentSource) {
    this.#source = source
    this.#known = new Map(
      source.older.flatMap(({ segments }) => segments).map((segment) => [segment.file, segment]),
    )
  }

  /** @param sql The tables that name them. */
  copyAll(sql: Sql): void {
    const folder = join(this.#source.folder, 'seg')
    makePrivateFolder(folder)
    const rows = sql.all<readonly [number, number, number]>(
      'SELECT segment, octets, sealed FROM segment ORDER BY segment',
    )
    for (const [segment, octets, sealed] of rows) {
      try {
        this.kept.push(this.#keep(segment, octets, sealed === 1))
      } catch (error) {
        if (isOurDisk(error)) throw error
        // A store that is damaged needs its backup most.
        this.missing.push(`${segmentName(segment)}: ${(error as Error).message}`)
      }
    }
    syncFolder(folder)
  }

  #keep(segment: number, octets: number, sealed: boolean): KeptSegment {
    const { shard, folder, link, copied } = this.#source
    const from = segmentFile(shard, segment)
    const file = `seg/${segment}-${octets}-${fingerprint(from, octets)}.seg`
    const to = join(folder, file)
    if (existsSync(to) && statSync(to).size === octets) {
      const known = this.#known.get(file)
      if (known === undefined) return { segment, file, octets, sha256: hashFile(to, octets, copied) }
      copied(octets)
      return known
    }
    const sha256 =
      link && sealed && statSync(from).size === octets
        ? linkFile(from, to, octets, copied)
        : copyFile(from, to, octets, copied)
    this.written++
    this.octetsWritten += octets
    return { segment, file, octets, sha256 }
  }
}

/** Codes that speak of the folder that is written to, or of no file at all: nothing else can succeed either. */
const ours = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EFBIG', 'EXDEV'])

export function isOurDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ours.has(String(error.code))
}
