import type { Worker } from 'node:worker_threads'
import type { Log } from '../../base/log.ts'
import type { ReportLimits } from '../../base/report-limits.ts'
import { startThread } from '../../store/sqlite/start-thread.ts'
import type { ReportsReply, ReportsRequest, ReportsThreadData } from './protocol.ts'
import type { LetterFacts, ReceivedReports, ReportQuery, ReportSummary } from './received-reports.ts'

/** Nothing is started until it is asked for: few servers get reports, and none gets many. */
export function openReceivedReports(folder: string, limits: ReportLimits, log: Log): ReceivedReports {
  return new Received({ folder, limits }, log)
}

class Received implements ReceivedReports {
  readonly #data: ReportsThreadData
  readonly #log: Log
  readonly #askers = new Map<number, PromiseWithResolvers<ReportsReply>>()
  #worker: Worker | null = null
  #lastId = 0
  #closed = false

  constructor(data: ReportsThreadData, log: Log) {
    this.#data = data
    this.#log = log
  }

  async take(message: Uint8Array, facts: LetterFacts): Promise<void> {
    try {
      const { taken, passedOver } = await this.#ask({ kind: 'take', message, ...facts })
      if (taken === undefined) this.#log.info('letter for reports', { why: passedOver })
      else this.#log.info('report received', { id: taken })
    } catch (error) {
      this.#log.error('report cannot be kept', { error })
    }
  }

  async list(query: ReportQuery): Promise<ReportSummary[]> {
    return [...((await this.#ask({ kind: 'list', query })).summaries ?? [])]
  }

  async find(reportNumber: number): Promise<string | null> {
    return (await this.#ask({ kind: 'find', reportNumber })).report ?? null
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === null || this.#closed) {
      this.#closed = true
      return
    }
    const closed = this.#ask({ kind: 'close' })
    this.#closed = true
    await closed.catch(() => {})
    await worker.terminate()
  }

  #ask(request: ReportsRequest): Promise<ReportsReply> {
    if (this.#closed) return Promise.reject(new Error('the reports are closed'))
    const id = ++this.#lastId
    const asker = Promise.withResolvers<ReportsReply>()
    this.#askers.set(id, asker)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ id, request }, request.kind === 'take' ? transferable(request.message) : [])
    return asker.promise
  }

  #start(): Worker {
    const worker = startThread('reports-thread', import.meta.url, this.#data)
    worker.on('message', (reply: ReportsReply) => {
      const asker = this.#askers.get(reply.id)
      this.#askers.delete(reply.id)
      if (reply.error === undefined) asker?.resolve(reply)
      else asker?.reject(new Error(reply.error))
    })
    worker.on('error', (error) => this.#died(worker, error as Error))
    worker.on('exit', () => this.#died(worker, new Error('the thread of reports ended')))
    return worker
  }

  /** The next request starts another one: what broke this one was a report, not the server. */
  #died(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    if (!this.#closed) this.#log.error('the thread of reports died', { error: cause })
    for (const asker of this.#askers.values()) asker.reject(cause)
    this.#askers.clear()
  }
}

/** Memory of its own is handed over; a piece of something larger is copied. */
function transferable({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
