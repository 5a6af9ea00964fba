/** What the writer's thread does before anybody is heard: the tables are opened, looked at and brought up to date. */
import { dirname, join } from 'node:path'
import { missingSegments, requireNoMail, requireRights } from './check-files.ts'
import { openForWriting, type Sql } from './database.ts'
import type { Disk } from './disk.ts'
import { isDiskFailure, isSyncFailure } from './disk-failure.ts'
import { KeptRoom } from './kept-room.ts'
import { freeLeases } from './lease.ts'
import { migrate, versionOf } from './migrate.ts'
import type { WriterData } from './protocol.ts'
import { noteUnsyncedLog, writeUnsyncedLogAnew } from './unsynced-log.ts'
import { Writer } from './writer.ts'

export interface Started {
  readonly sql: Sql
  readonly writer: Writer
}

export type Warn = (text: string, facts: { readonly [name: string]: string }) => void

/** @throws {StoreUnopenable} @throws {Error} */
export function startWriter(data: WriterData, disk: Disk, warn: Warn): Started {
  disk.makeFolder(data.folder)
  requireRights(data.folder)
  // The name of a folder lies in the one above it: without this, power could take the whole shard with it.
  disk.syncFolder(dirname(data.folder))
  const room = new KeptRoom(disk, data.folder, data.limits.diskReserveOctets)
  try {
    return start(data, disk, room, warn)
  } catch (error) {
    if (!isDiskFailure(error) || !room.free()) throw error
    warn('store: there was no room to start; what was kept for it is used. Make room on the disk', {
      error: String(error),
    })
    return start(data, disk, room, warn)
  }
}

function start(data: WriterData, disk: Disk, room: KeptRoom, warn: Warn): Started {
  writeUnsyncedLogAnew(disk, data.folder)
  const sql = openForWriting(join(data.folder, 'meta.db'))
  try {
    if (versionOf(sql) === 0) requireNoMail(data.folder)
    migrate(sql)
    const writer = new Writer(sql, disk, data, room)
    const redone = writer.redo((text) =>
      warn('store: a change that cannot be done again is left out', { text }),
    )
    if (redone > 0) warn('store: changes were done again that the tables had lost', { changes: `${redone}` })
    const missing = missingSegments(sql, data.folder)
    if (missing.length > 0)
      warn('store: messages are missing, posthorn verify names them', {
        files: `${missing.length}`,
        first: missing[0]!,
      })
    freeLeases(sql)
    if (writer.failure !== null) throw writer.failure
    return { sql, writer }
  } catch (error) {
    if (isSyncFailure(error)) noteUnsyncedLog(disk, data.folder)
    sql.close()
    throw error
  }
}
