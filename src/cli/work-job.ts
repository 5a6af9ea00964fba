/** Follows a job of the admin API to its end, and shows how far it is. */
import type { JobState } from '../admin/jobs.ts'
import type { WorkProgress } from '../store/backup.ts'
import type { AdminDoor } from './admin-door.ts'
import { formatOctets } from './agent/terminal.ts'
import { CliError, type ExitCode, exitCodes } from './cli-error.ts'
import { note } from './terminal.ts'

const askEveryMs = 150

/** By the status of a refusal. */
export const exitCodeOf: Readonly<Record<number, ExitCode>> = {
  404: exitCodes.notFound,
  503: exitCodes.tryLater,
}

/** One line on a terminal, rewritten; nothing elsewhere. */
export class ProgressLine {
  readonly #shown: boolean
  #length = 0

  constructor(shown: boolean) {
    this.#shown = shown && process.stderr.isTTY === true
  }

  show({ step, done, total, unit }: WorkProgress): void {
    if (!this.#shown) return
    const count = (value: number) => (unit === 'octets' ? formatOctets(value) : value.toLocaleString('en'))
    const text = total === 0 ? step : `${step}: ${count(done)} of ${count(total)}`
    note(`\r${text.padEnd(this.#length)}`)
    this.#length = text.length
  }

  clear(): void {
    if (this.#length > 0) note(`\r${' '.repeat(this.#length)}\r`)
    this.#length = 0
  }
}

/**
 * Starts a job and waits for its end. Ctrl-C stops the job, not only the waiting.
 *
 * @throws {CliError}
 */
export async function runJob<Result>(
  door: AdminDoor,
  path: string,
  body: object,
  line: ProgressLine,
): Promise<Result> {
  const { job } = await door.call<{ job: number }>('POST', path, body)
  const where = `/v1/backup/jobs/${job}`
  let stopped = false
  const stop = () => {
    stopped = true
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    for (let asked = false; ; ) {
      const state = await door.call<JobState>('GET', where)
      if (state.state === 'done') return state.result as Result
      if (state.error !== null) {
        const { status, code, message, remedy } = state.error
        const exitCode = exitCodeOf[status] ?? exitCodes.refused
        throw new CliError(exitCode, message, remedy, { code })
      }
      if (state.progress !== null) line.show(state.progress)
      if (stopped && !asked) {
        asked = true
        await door.call('DELETE', where)
      }
      await new Promise((resolve) => setTimeout(resolve, askEveryMs))
    }
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    line.clear()
  }
}
