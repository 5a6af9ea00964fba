/** The files of a store's folder against its tables. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bigFiles } from '../backup/big-copies.ts'
import type { Sql } from '../database.ts'
import { segmentFile, segmentName } from '../segment-name.ts'
import type { Findings } from './findings.ts'

/** Younger ones may be waiting for their acceptance. */
const youngMs = 24 * 60 * 60_000

export function checkFiles(sql: Sql, findings: Findings, folder: string): void {
  const known = new Set<string>()
  let last = 0
  for (const [segment, octets, sealed] of sql.all<readonly [number, number, number]>(
    'SELECT segment, octets, sealed FROM segment ORDER BY segment',
  )) {
    const file = segmentFile(folder, segment)
    known.add(segmentName(segment))
    last = segment
    if (!existsSync(file)) {
      findings.add('segment', `The file of segment ${segment} is missing`)
      continue
    }
    const size = statSync(file).size
    if (size < octets)
      findings.add('segment', `The file of segment ${segment} has ${size} octets, the tables know ${octets}`)
    else if (size > octets && sealed === 1)
      findings.note(
        `Segment ${segment} has ${size - octets} octets at its end that nothing refers to, as a crash leaves them`,
      )
  }
  const seg = join(folder, 'seg')
  for (const name of existsSync(seg) ? readdirSync(seg) : []) {
    if (known.has(`seg/${name}`)) continue
    const number = Number(/^0-(\d+)\.seg$/.exec(name)?.[1] ?? 0)
    // The one that has just begun has no row before its first commit.
    if (number <= last) findings.note(`seg/${name} is not known to the tables: nothing in it is needed`)
  }
  for (const file of bigFiles(folder)) {
    if (sql.get('SELECT 1 FROM blob WHERE file = ? LIMIT 1', file) !== undefined) continue
    const { mtimeMs } = statSync(join(folder, 'big', file), { throwIfNoEntry: false }) ?? {
      mtimeMs: Date.now(),
    }
    if (Date.now() - mtimeMs > youngMs)
      findings.note(`big/${file} is not known to the tables: nothing needs it`)
  }
}
