/** The Lab as its own process, as a person would start it, for tests with other people's programs. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ReadyLine, ServerLine } from '../../src/daemon/ready-line.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { type RunningProcess, startPosthorn } from './process.ts'
import { type Cleanup, temporaryFolder } from './temp.ts'

export interface LabProcess {
  readonly ready: ReadyLine
  readonly crepes: ServerLine
  readonly hamburger: ServerLine
  readonly ca: string
  /** Variables under which `posthorn` commands find this Lab and no other. */
  readonly env: Record<string, string>
  /** Scratch space; gone when the test ends. */
  readonly folder: string
  readonly process: RunningProcess
}

/** @param more Further arguments of `posthorn lab`. */
export async function startLabProcess(t: Cleanup, more: string[] = []): Promise<LabProcess> {
  const folder = temporaryFolder(t)
  const env: Record<string, string> = { HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: join(folder, 'run') }
  mkdirSync(env['XDG_RUNTIME_DIR']!, { mode: 0o700 })
  const process = startPosthorn(t, ['lab', '--json', '--ports', '0', ...more], { env })
  const ready = await process.json<ReadyLine & Record<string, unknown>>('ready')
  const server = (domain: string): ServerLine => ready.servers.find((one) => one.domain === domain)!
  return {
    ready,
    crepes: server('crepes.fr'),
    hamburger: server('hamburger.edu'),
    ca: ready.ca!,
    env,
    folder,
    process,
  }
}

export function endpointOf(text: string | undefined): Endpoint {
  if (text === undefined) throw new Error('This door is closed')
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; a failure is a value. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string; readonly cwd?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { timeout: 60_000, maxBuffer: 1 << 26, cwd: options.cwd, env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ code, stdout, stderr })
      },
    )
    child.stdin?.end(options.input ?? '')
  })
}
