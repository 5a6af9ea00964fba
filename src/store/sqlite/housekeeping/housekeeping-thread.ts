/**
 * The thread of one job of the housekeeping. It reads the tables and writes files by itself; rows are changed by the writer,
 * which it asks through the sockets' thread. When it dies, nothing is lost: what it was at is done by the next pass.
 */
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openForReading } from '../database.ts'
import { errorOf } from '../error-of.ts'
import type { CallOf, OperationName, ResultOf } from '../operations.ts'
import { pickDisk } from '../pick-disk.ts'
import { clean } from './clean.ts'
import type { FromThread, HousekeepingData, ToThread } from './protocol.ts'
import { stat } from './stat.ts'
import { noCounts, Stopped, type Work } from './work.ts'

/** What readers of a segment are given to leave it. */
const leaveMs = 2_000
/** Progress is told this often. */
const tellEveryMs = 200

const port = parentPort!
const data = workerData as HousekeepingData
const { folder, limits, job, nowMs } = data
const report = noCounts()
const askers = new Map<number, PromiseWithResolvers<unknown>>()
let lastId = 0
let stopped = false
let bounded = job.kind === 'clean' && job.bounded
let toldAt = 0

function tell(message: FromThread): void {
  port.postMessage(message)
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'stop') stopped = true
  else if (message.kind === 'hurry') bounded = false
  else {
    const asker = askers.get(message.id)
    askers.delete(message.id)
    if (message.kind === 'answer') asker?.resolve(message.value)
    else asker?.reject(errorOf(message.error))
  }
})

const work: Work = {
  ...{ folder, limits, nowMs, report, leaveMs: data.leaveMs ?? leaveMs },
  sql: openForReading(join(folder, 'meta.db')),
  disk: await pickDisk(data),
  ask<Name extends OperationName>(name: Name, call: CallOf<Name>): Promise<ResultOf<Name>> {
    if (stopped) return Promise.reject(new Stopped('the store closes'))
    const asker = Promise.withResolvers<unknown>()
    askers.set(++lastId, asker)
    tell({ kind: 'ask', id: lastId, name, call })
    return asker.promise as Promise<ResultOf<Name>>
  },
  async pause(octets = 0) {
    if (bounded && octets > 0) await wait((octets / limits.cleanOctetsPerSecond) * 1_000)
    else await nextTurn()
    if (stopped) throw new Stopped('the store closes')
  },
  tell(step, done = 0, total = 0) {
    if (performance.now() - toldAt < tellEveryMs && done > 0) return
    toldAt = performance.now()
    tell({ kind: 'progress', progress: { step, done, total, report: { ...report } } })
  },
  warn: (text, facts) => tell({ kind: 'warning', text, facts }),
}

try {
  const result = job.kind === 'stat' ? await stat(work) : await clean(work, job.thorough)
  tell({ kind: 'done', result })
} catch (error) {
  const { name, message } = error as Error
  tell({ kind: 'failed', error: { name, message } })
} finally {
  work.sql.close()
  port.close()
}
