/** The thread of the writer: receives posts until there are none, does a batch, answers, and looks again. */
import { dirname } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Sql } from './database.ts'
import { explainFailure } from './explain-failure.ts'
import { removeOrphans } from './orphans.ts'
import { pickDisk } from './pick-disk.ts'
import type { WriterData, WriterMessage, WriterPost } from './protocol.ts'
import { startWriter } from './start-writer.ts'
import { noteUnsyncedLog } from './unsynced-log.ts'
import { describeError, type Writer } from './writer.ts'

/** Without work for this long, what was done is committed if it is not yet. */
const settleAfterMs = 20
/** Without work for this long, the write-ahead log is brought back into the tables. */
const restAfterMs = 2_000

const port = parentPort!
const data = workerData as WriterData
const disk = await pickDisk(data)
let closed = false
let resting: NodeJS.Timeout | null = null
let settling: NodeJS.Timeout | null = null

function tell(message: WriterMessage): void {
  port.postMessage(message)
}

function work(writer: Writer, first: WriterPost | 'close'): void {
  let closing = !take(writer, first)
  while (!closed) {
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      if (!take(writer, more.message as WriterPost | 'close')) closing = true
    }
    if (writer.isIdle) break
    tell(writer.runBatch())
    endIfUnsynced(writer)
  }
  if (closed) return
  if (closing) {
    close(writer)
    return
  }
  restLater(writer)
  if (!writer.isReadable) settleLater(writer)
}

/** Piece by piece, behind everything else. */
function removeOrphansLater(sql: Sql, orphans = removeOrphans(sql, disk, data.folder, data.nowMs)): void {
  const timer = setTimeout(() => {
    if (!closed && orphans.next().done !== true) removeOrphansLater(sql, orphans)
  }, 20)
  timer.unref()
}

function take(writer: Writer, post: WriterPost | 'close'): boolean {
  if (post === 'close') return false
  writer.add(post)
  return true
}

function restLater(writer: Writer): void {
  if (resting !== null) {
    resting.refresh()
    return
  }
  resting = setTimeout(() => rest(writer), restAfterMs)
  resting.unref()
}

function rest(writer: Writer): void {
  settle(writer)
  if (closed) return
  writer.rest()
  endIfUnsynced(writer)
}

/** The next process begins with what is sure to be on the disk. Nothing that was answered is lost: it has its record. */
function endIfUnsynced(writer: Writer): void {
  if (writer.failure === null) return
  noteUnsyncedLog(disk, data.folder)
  closed = true
  tell({ kind: 'failed', text: `a sync of the tables failed, ${writer.failure.message}` })
  port.close()
}

function settleLater(writer: Writer): void {
  if (settling !== null) {
    settling.refresh()
    return
  }
  settling = setTimeout(() => settle(writer), settleAfterMs)
  settling.unref()
}

/** Whoever reads what cannot be committed is refused; so is all that is asked, until it can. */
function settle(writer: Writer): void {
  if (closed) return
  try {
    writer.settle()
  } catch (error) {
    const text = 'store: what was answered cannot be brought into the tables now'
    tell({ kind: 'warning', text, facts: { text: String(error) } })
  }
  endIfUnsynced(writer)
}

function close(writer: Writer): void {
  closed = true
  if (resting !== null) clearTimeout(resting)
  if (settling !== null) clearTimeout(settling)
  writer.close()
  if (writer.failure !== null) noteUnsyncedLog(disk, data.folder)
  tell({ kind: 'closed' })
  port.close()
}

try {
  const { sql, writer } = startWriter(data, disk, (text, facts) => tell({ kind: 'warning', text, facts }))
  port.on('message', (post: WriterPost | 'close') => work(writer, post))
  tell({ kind: 'ready' })
  removeOrphansLater(sql)
} catch (error) {
  tell({ kind: 'unopened', error: describeError(explainFailure(error, dirname(data.folder))) })
}
