/** Child processes of a test: started, listened to, and gone when the test ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cleanup } from './temp.ts'

export interface ProcessOptions {
  readonly cwd?: string
  /** Added to our own environment; undefined removes a variable. */
  readonly env?: Record<string, string | undefined>
  /** Written to standard input, which is then closed. Absent: it stays open for `write`. */
  readonly input?: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess {
  readonly pid: number
  /** All output so far. */
  readonly stdout: string
  readonly stderr: string
  /** Settles when the process has ended and its output is complete. */
  readonly ended: Promise<Exit>
  write(text: string): void
  endInput(): void
  /** The first line of standard output that fits, past ones included, without its line end. */
  line(fits: string | RegExp, timeoutMs?: number): Promise<string>
  /** The first line of standard output that is a JSON object; with a key, one that has it. */
  json<T = Record<string, unknown>>(key?: string, timeoutMs?: number): Promise<T>
  signal(signal: NodeJS.Signals): void
  /** Asks it to end, and after two seconds does not ask. */
  stop(): Promise<Exit>
}

const TIMEOUT_MS = 20_000
const root = join(import.meta.dirname, '..', '..')

/** Starts a program in a process group of its own, which is killed when the test ends. */
export function startProcess(
  t: Cleanup,
  command: string,
  args: string[],
  options: ProcessOptions = {},
): RunningProcess {
  const running = new Running(command, args, options)
  t.after(async () => {
    await running.stop()
  })
  return running
}

/** Starts `posthorn args…` from this checkout, in one process. */
export function startPosthorn(t: Cleanup, args: string[], options: ProcessOptions = {}): RunningProcess {
  const main = join(root, 'src', 'cli', 'main.ts')
  return startProcess(t, process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], options)
}

/** Runs a program to its end. */
export async function runProcess(
  t: Cleanup,
  command: string,
  args: string[],
  options: ProcessOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const running = startProcess(t, command, args, { input: '', ...options })
  const exit = await running.ended
  return { ...exit, stdout: running.stdout, stderr: running.stderr }
}

class Running implements RunningProcess {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Exit>
  readonly #child
  readonly #command: string
  #isOver = false

  constructor(command: string, args: string[], options: ProcessOptions) {
    this.#command = [command, ...args].join(' ')
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: 'pipe',
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.#child.stdin.on('error', () => {}) // it may have ended without reading
    if (options.input !== undefined) this.#child.stdin.end(options.input)
    this.ended = this.#waitForEnd()
    this.ended.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  write(text: string): void {
    this.#child.stdin.write(text)
  }

  endInput(): void {
    this.#child.stdin.end()
  }

  line(fits: string | RegExp, timeoutMs = TIMEOUT_MS): Promise<string> {
    const matches = (line: string): boolean =>
      typeof fits === 'string' ? line.includes(fits) : fits.test(line)
    return this.#find((line) => (matches(line) ? line : undefined), String(fits), timeoutMs)
  }

  json<T>(key?: string, timeoutMs = TIMEOUT_MS): Promise<T> {
    return this.#find(
      (line) => parseObject<T>(line, key),
      `a JSON line${key ? ` with ${key}` : ''}`,
      timeoutMs,
    )
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#isOver) this.#child.kill(signal)
  }

  async stop(): Promise<Exit> {
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), 2_000)
    const exit = await this.ended.catch(() => ({ code: null, signal: null }))
    clearTimeout(timer)
    this.#killGroup()
    return exit
  }

  async #waitForEnd(): Promise<Exit> {
    try {
      const closed = once(this.#child, 'close')
      closed.catch(() => {}) // the same error comes out of the next line
      // Not `close` alone: a grandchild that it leaves behind may hold the pipes open.
      const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null]
      this.#isOver = true
      await Promise.race([closed, sleep(500)])
      return { code, signal }
    } finally {
      this.#isOver = true
    }
  }

  async #find<T>(read: (line: string) => T | undefined, wanted: string, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs
    while (true) {
      const isLast = this.#isOver || performance.now() > deadline
      if (this.#isOver) await this.ended
      for (const line of this.stdout.split('\n').slice(0, this.#isOver ? undefined : -1)) {
        const found = read(line.replace(/\r$/, ''))
        if (found !== undefined) return found
      }
      if (isLast) throw new Error(this.#complaint(wanted, timeoutMs))
      await sleep(15)
    }
  }

  #complaint(wanted: string, timeoutMs: number): string {
    const what = this.#isOver ? 'it ended' : `${timeoutMs} ms went by`
    return `${this.#command}: ${what} without ${wanted}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`
  }

  /** Whatever it started and left behind. */
  #killGroup(): void {
    try {
      if (this.pid > 0) process.kill(-this.pid, 'SIGKILL')
    } catch {
      // Nothing was left.
    }
  }
}

function parseObject<T>(line: string, key: string | undefined): T | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as T & object
    return key === undefined || key in value ? value : undefined
  } catch {
    return undefined
  }
}
