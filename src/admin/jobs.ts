/** Work that takes longer than a request: it is started, asked about, and stopped. One at a time. */
import type { Log } from '../base/log.ts'
import type { WorkProgress } from '../store/backup.ts'
import { AdminError } from './admin-error.ts'

export interface JobState {
  readonly id: number
  readonly kind: string
  readonly state: 'running' | 'done' | 'failed'
  readonly progress: WorkProgress | null
  /** When it is done. */
  readonly result: unknown
  /** When it failed. */
  readonly error: {
    /** As a request would have been answered. */
    readonly status: number
    readonly code: string
    readonly message: string
    readonly remedy: string
  } | null
}

type Work = (progress: (progress: WorkProgress) => void, signal: AbortSignal) => Promise<unknown>

interface Job {
  state: JobState
  readonly stop: AbortController
}

export class Jobs {
  readonly #log: Log
  readonly #translate: (error: unknown) => AdminError
  #last: Job | null = null
  #lastId = 0

  constructor(log: Log, translate: (error: unknown) => AdminError) {
    this.#log = log
    this.#translate = translate
  }

  /** @throws {AdminError} Another one runs. */
  start(kind: string, work: Work): { job: number } {
    if (this.#last?.state.state === 'running') {
      const remedy = 'Wait until it has ended.'
      throw new AdminError(409, 'busy', `The server is busy with this: ${this.#last.state.kind}`, remedy)
    }
    const id = ++this.#lastId
    const job: Job = {
      state: { id, kind, state: 'running', progress: null, result: null, error: null },
      stop: new AbortController(),
    }
    this.#last = job
    work((progress) => {
      if (job.state.state === 'running') job.state = { ...job.state, progress }
    }, job.stop.signal).then(
      (result) => {
        job.state = { ...job.state, state: 'done', result }
      },
      (error: unknown) => {
        const { code, message, remedy, status } = this.#translate(error)
        if (status >= 500) this.#log.error(`${kind} failed`, { error })
        job.state = { ...job.state, state: 'failed', error: { status, code, message, remedy } }
      },
    )
    return { job: id }
  }

  /** @throws {AdminError} */
  get(id: number): JobState {
    return this.#find(id).state
  }

  /** @throws {AdminError} */
  stop(id: number): JobState {
    const job = this.#find(id)
    job.stop.abort()
    return job.state
  }

  #find(id: number): Job {
    if (this.#last?.state.id === id) return this.#last
    throw new AdminError(404, 'job-unknown', `There is no job ${id}`, 'Only the last one is remembered.')
  }
}
