import { mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { StoreOptions } from './open.ts'
import { BodyFiles } from './sqlite/body-files.ts'
import { BodyReader } from './sqlite/body-reader.ts'
import { busyCalls } from './sqlite/commits.ts'
import type { Sql } from './sqlite/database.ts'
import { openForReading } from './sqlite/database.ts'
import { systemDisk } from './sqlite/disk.ts'
import { explainFailure } from './sqlite/explain-failure.ts'
import { takeFolder } from './sqlite/owner.ts'
import { isBehind, readSearched } from './search/index-file.ts'
import { SearchClient } from './search/search-client.ts'
import { SqliteStore } from './sqlite/store.ts'
import { readingMs, WriterClient } from './sqlite/writer-client.ts'
import type { Store } from './store.ts'

/** What a test puts in the place of the disk: a module whose `makeDisk(data)` returns a `Disk`. */
export interface DiskStandIn {
  readonly module: string
  readonly data: unknown
  /** Instead of the time that readers of a segment are given to leave it. */
  readonly leaveMs?: number
  /** Instead of the calls in a second from which on the tables may wait. */
  readonly busyCalls?: number
  /** Instead of the time after somebody read in which they may not. */
  readonly readingMs?: number
}

/**
 * Opens the store in a data folder, which is made when it is missing, and holds it until `close`.
 *
 * @throws {StoreInUse} Another process has the folder.
 * @throws {StoreUnopenable} It cannot be opened as it lies there: what an operator can do is said with it.
 * @throws {Error} Anything else.
 */
export async function openStore(options: StoreOptions, disk: DiskStandIn | null = null): Promise<Store> {
  const { clock, log, random } = options.surroundings
  const letGo = take(options.folder)
  const folder = join(options.folder, 'shard-00')
  const diskData = { diskModule: disk?.module ?? null, diskData: disk?.data ?? null }
  let sql: Sql | null = null
  const { diskReserveOctets } = options.limits
  const bodyData = { folder, ...diskData, diskReserveOctets }
  const writerData = {
    ...{ folder, limits: options.limits, nowMs: clock.now(), ...diskData },
    ...{ busyCalls: disk?.busyCalls ?? busyCalls, readingMs: disk?.readingMs ?? readingMs },
  }
  try {
    let store: SqliteStore | null = null
    const writer = new WriterClient(writerData, clock, log, {
      changed: (deltas) => store?.changed(deltas),
      queued: () => store?.tellQueue(),
      queueGrew: (by) => store?.queueGrew(by),
      freed: (octets) => store?.freed(octets),
      // Until it is open, the error is this function's own.
      died: (cause) => store !== null && options.onFailure?.(cause),
    })
    await writer.ready()
    sql = openForReading(join(folder, 'meta.db'))
    const files = new BodyFiles(bodyData, random)
    const bodies = new BodyReader(sql, folder)
    const search = makeSearch(options, folder, sql, writer)
    const parts = { sql, writer, files, bodies, search, clock, log, letGo }
    store = new SqliteStore({
      ...parts,
      limits: options.limits,
      housekeeping: { folder, ...diskData, leaveMs: disk?.leaveMs ?? null },
    })
    return store
  } catch (error) {
    sql?.close()
    letGo()
    throw explainFailure(error, options.folder)
  }
}

function take(folder: string): () => void {
  try {
    makeDataFolder(folder)
    return takeFolder(folder)
  } catch (error) {
    throw explainFailure(error, folder)
  }
}

function makeSearch(
  { surroundings, limits, indexFor }: StoreOptions,
  folder: string,
  sql: Sql,
  writer: WriterClient,
): SearchClient {
  const file = join(folder, 'fts.db')
  const lastEmail = Number(sql.get("SELECT value FROM counter WHERE name = 'email'")?.[0] ?? 0)
  const { clock, log, random } = surroundings
  return new SearchClient({
    ...{ folder, clock, log, random, searched: readSearched(file), followMs: limits.searchIndexMs },
    readable: () => writer.readable(),
    everybody: indexFor === 'everybody' ? { behind: isBehind(file, lastEmail) } : null,
  })
}

/** Each name of the way there lies in the folder above it, which is synced too; a power cut leaves it or all is gone. */
function makeDataFolder(folder: string): void {
  const made = resolve(mkdirSync(folder, { recursive: true, mode: 0o700 }) ?? folder)
  for (let at = resolve(folder); at.length >= made.length && at !== dirname(at); at = dirname(at)) {
    try {
      systemDisk.syncFolder(dirname(at))
    } catch {
      // Not ours to open, so it was not us who put the name there.
    }
  }
}
