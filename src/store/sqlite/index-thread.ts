/** The thread that loads the indexes of large mailboxes, so that the sockets' thread only takes them over. */
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openForReading } from './database.ts'
import { readIndexPage } from './index-rows.ts'
import { type IndexColumns, SharedIndex } from './shared-index.ts'

export interface IndexThreadData {
  /** Of the shard. */
  readonly folder: string
}

export interface IndexOrder {
  readonly id: number
  readonly accountId: number
  readonly mailboxId: number
  /** Messages it has, about. */
  readonly total: number
}

export type IndexReply =
  | { readonly id: number; readonly columns: IndexColumns }
  | { readonly id: number; readonly error: string }

const port = parentPort!
const sql = openForReading(join((workerData as IndexThreadData).folder, 'meta.db'))

async function load({ id, accountId, mailboxId, total }: IndexOrder): Promise<void> {
  try {
    const index = new SharedIndex(accountId, mailboxId)
    // What arrives next finds room: growing copies everything, on the sockets' thread.
    index.reserve(total + (total >> 4))
    // Others have their turn: a mailbox of a million takes half a second.
    while (readIndexPage(sql, index)) await nextTurn()
    const columns = index.takeColumns()
    const buffers = Object.values(columns).flatMap((column) =>
      typeof column === 'number' ? [] : [column.buffer],
    )
    port.postMessage({ id, columns } satisfies IndexReply, buffers as ArrayBuffer[])
  } catch (error) {
    port.postMessage({
      id,
      error: error instanceof Error ? error.message : String(error),
    } satisfies IndexReply)
  }
}

port.on('message', (order: IndexOrder | 'close') => {
  if (order !== 'close') void load(order)
  else {
    sql.close()
    port.close()
  }
})
