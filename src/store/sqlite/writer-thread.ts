/** The thread of the writer: receives posts until there are none, does a batch, answers, and looks again. */
import { dirname, join } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openForWriting } from './database.ts'
import { freeLeases } from './lease.ts'
import { migrate } from './migrate.ts'
import { removeOrphans } from './orphans.ts'
import { pickDisk } from './pick-disk.ts'
import type { WriterData, WriterMessage, WriterPost } from './protocol.ts'
import { Writer } from './writer.ts'

/** Without work for this long, the write-ahead log is brought back into the tables. */
const restAfterMs = 2_000

const port = parentPort!
const data = workerData as WriterData
const disk = await pickDisk(data)
disk.makeFolder(data.folder)
// The name of a folder lies in the one above it: without this, power could take the whole shard with it.
disk.syncFolder(dirname(data.folder))
const sql = openForWriting(join(data.folder, 'meta.db'))
migrate(sql)
const writer = new Writer(sql, disk, data.folder, data.limits)
const redone = writer.redo((text) =>
  tell({ kind: 'warning', text: 'store: a change from before the power went is lost', facts: { text } }),
)
if (redone > 0)
  tell({
    kind: 'warning',
    text: 'store: changes were done again that a power cut took',
    facts: { changes: `${redone}` },
  })
freeLeases(sql)
let closed = false
let resting: NodeJS.Timeout | null = null

function tell(message: WriterMessage): void {
  port.postMessage(message)
}

function work(first: WriterPost | 'close'): void {
  let closing = !take(first)
  for (;;) {
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      if (!take(more.message as WriterPost | 'close')) closing = true
    }
    if (writer.isIdle) break
    tell(writer.runBatch())
  }
  if (closing) close()
  else restLater()
}

/** Piece by piece, behind everything else. */
function removeOrphansLater(
  orphans: Generator<number> = removeOrphans(sql, disk, data.folder, data.nowMs),
): void {
  const timer = setTimeout(() => {
    if (!closed && orphans.next().done !== true) removeOrphansLater(orphans)
  }, 20)
  timer.unref()
}

function take(post: WriterPost | 'close'): boolean {
  if (post === 'close') return false
  writer.add(post)
  return true
}

function restLater(): void {
  if (resting !== null) {
    resting.refresh()
    return
  }
  resting = setTimeout(() => writer.rest(), restAfterMs)
  resting.unref()
}

function close(): void {
  closed = true
  if (resting !== null) clearTimeout(resting)
  writer.close()
  tell({ kind: 'closed' })
  port.close()
}

port.on('message', work)
tell({ kind: 'ready' })
removeOrphansLater()
