/** Shows how far an import or export has come: one line that is written over on a terminal, lines of JSON for programs. */
import { formatOctets } from './agent/terminal.ts'
import type { Progress, ProgressMeter } from '../transfer/progress.ts'
import { note, printJson } from './terminal.ts'

const terminalEveryMs = 200
const jsonEveryMs = 1_000

export class ProgressLine {
  readonly #meter: ProgressMeter
  readonly #kind: 'terminal' | 'json' | 'none'
  #shownMs = performance.now()
  #isShown = false

  constructor(meter: ProgressMeter, json: boolean) {
    this.#meter = meter
    this.#kind = json ? 'json' : process.stderr.isTTY ? 'terminal' : 'none'
  }

  /** To be called as often as one likes. */
  step(): void {
    if (this.#kind === 'none') return
    const now = performance.now()
    if (now - this.#shownMs < (this.#kind === 'json' ? jsonEveryMs : terminalEveryMs)) return
    this.#shownMs = now
    const { progress } = this.#meter
    if (this.#kind === 'json') printJson({ progress })
    else {
      note(`\r\x1b[K${formatProgress(progress)}`)
      this.#isShown = true
    }
  }

  /** Makes room for another line. */
  clear(): void {
    if (this.#isShown) note('\r\x1b[K')
    this.#isShown = false
  }
}

export function formatProgress(progress: Progress): string {
  const { messages, octets, messagesPerSecond, share, remainingSeconds } = progress
  const left = remainingSeconds === null ? '' : `, ${formatSeconds(remainingSeconds)} left`
  const percent = Math.floor(share * 100)
  return `${percent} %  ${messages} messages, ${formatOctets(octets)}, ${messagesPerSecond}/s${left}`
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
