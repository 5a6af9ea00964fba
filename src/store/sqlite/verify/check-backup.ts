/** The files of a backup against its manifest. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkProgress } from '../../backup.ts'
import { hashFile } from '../backup/copy-file.ts'
import { type KeptFile, findManifest, octetsOf } from '../backup/manifest.ts'
import type { Findings } from './findings.ts'
import type { BodyPlaces } from './stored-body.ts'

/** @throws {BackupUnusable} There is none. */
export function checkBackup(folder: string, at: string | null) {
  const manifest = findManifest(folder, at)
  const segments = new Map(manifest.segments.map((one) => [one.segment, join(folder, one.file)]))
  const own = (kept: KeptFile) => join(folder, manifest.name, kept.file)
  const places: BodyPlaces = {
    segment: (segment) => segments.get(segment) ?? null,
    big: (file) => join(folder, 'big', file),
  }
  return {
    tables: own(manifest.tables),
    places,
    beforehand(findings: Findings, quick: boolean, progress: (progress: WorkProgress) => void): void {
      for (const text of manifest.missing)
        findings.add('store-missing', `The store lacked it when the backup was made: ${text}`)
      const total = octetsOf(manifest) - manifest.big.octets
      let done = 0
      const check = (file: string, kept: KeptFile) => {
        const wrong = wrongFile(file, kept, quick, (octets) => {
          done += octets
          progress({ step: 'files of the backup', done, total, unit: 'octets' })
        })
        if (wrong !== null) findings.add('backup-file', `${file} ${wrong}`)
      }
      for (const kept of [manifest.tables, ...manifest.others]) check(own(kept), kept)
      for (const segment of manifest.segments) check(join(folder, segment.file), segment)
    },
  }
}

/** @returns What is wrong with it; null when nothing is. */
function wrongFile(
  file: string,
  kept: KeptFile,
  quick: boolean,
  read: (octets: number) => void,
): string | null {
  if (!existsSync(file)) return 'is missing'
  const { size } = statSync(file)
  if (size < kept.octets) return `has ${size} octets instead of ${kept.octets}`
  if (quick) return null
  try {
    return hashFile(file, kept.octets, read) === kept.sha256
      ? null
      : 'is not as it was written: its SHA-256 differs'
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`
  }
}
