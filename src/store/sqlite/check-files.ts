/** What the start looks at: whether the tables and the files beside them can be of one store. Lengths only; `verify` reads. */
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StoreUnopenable } from '../errors.ts'
import type { Sql } from './database.ts'
import { segmentFile } from './segment-name.ts'

/** New files must find a place: else mail would be refused some day later. @throws {Error} The system's. */
export function requireRights(folder: string): void {
  const { R_OK, W_OK, X_OK } = constants
  for (const path of [dirname(folder), folder, join(folder, 'seg'), join(folder, 'big')])
    if (sizeOf(path) >= 0) accessSync(path, R_OK | W_OK | X_OK)
  for (const name of ['journey.db', 'notes.db', 'reports.db'].map((file) => join(dirname(folder), file)))
    if (sizeOf(name) >= 0) accessSync(name, R_OK | W_OK)
}

/**
 * Tables that are empty are those of a new store: not where messages lie already.
 *
 * @throws {StoreUnopenable}
 */
export function requireNoMail(folder: string): void {
  const found = ['seg', 'big'].flatMap((name) => listed(join(folder, name)).map((file) => `${name}/${file}`))
  const mail = found.filter((name) => sizeOf(join(folder, name)) > 0)
  if (mail.length === 0) return
  throw new StoreUnopenable(
    `Cannot open the store: ${join(folder, 'meta.db')} is empty or missing, but there are messages beside it (${mail[0]})`,
    'Put back that meta.db (with its meta.db-wal), or put a backup into a new folder: posthorn restore BACKUP --into FOLDER. ' +
      `If a new store is meant, move ${folder} away.`,
  )
}

/**
 * @returns Segments that are missing, or shorter than the tables know.
 * @throws {StoreUnopenable} All are missing: they are somewhere else.
 */
export function missingSegments(sql: Sql, folder: string): string[] {
  const known = sql.all<readonly [number, number]>('SELECT segment, octets FROM segment WHERE octets > 0')
  const sizes = known.map(([segment]) => sizeOf(segmentFile(folder, segment)))
  if (known.length > 0 && sizes.every((size) => size < 0)) {
    const last = segmentFile(folder, known.at(-1)![0])
    throw new StoreUnopenable(
      `Cannot open the store: the files of all messages are missing from ${join(folder, 'seg')}`,
      'If that is a disk of its own, mount it. Else put a backup into a new folder: posthorn restore BACKUP --into FOLDER. ' +
        `To go on without those messages: touch ${last}`,
    )
  }
  return known.filter(([, octets], i) => sizes[i]! < octets).map(([segment]) => segmentFile(folder, segment))
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return []
  }
}

/** -1: there is none. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1
}
