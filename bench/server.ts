/** Starts a whole Posthorn in a temporary folder for a benchmark. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ReadyLine } from '../src/daemon/ready-line.ts'

// As people start it: with the cache of compiled sources, without which each thread carries the type stripper.
const main = new URL('../bin/posthorn', import.meta.url).pathname

export interface BenchServer {
  readonly pid: number
  readonly line: ReadyLine
  stop(): Promise<void>
}

/** The first line a child prints, as JSON. @throws {Error} With what it wrote to standard error. */
export async function firstLine<T>(child: ChildProcess): Promise<T> {
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line) as T
  throw new Error(`It did not start: ${errors}`)
}

export function spawnScript(file: string, args: string[] = []): ChildProcess {
  return spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/**
 * @param more Further TOML. Accounts are u1@bench.test … with the password pw.
 * @param trusted Who is not judged, nor bounded.
 * @param data A data folder that holds the accounts already; it stays.
 */
export async function startServer(
  accounts: number,
  more = '',
  data: string | null = null,
  trusted: readonly string[] = ['127.0.0.1'],
): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-'))
  const config = join(folder, 'posthorn.toml')
  writeFileSync(
    config,
    `hostname = "mail.bench.test"\ndata = "${data ?? 'data'}"\n` +
      '[listen]\nsmtp = ["127.0.0.1:0"]\nsubmission = ["127.0.0.1:0"]\n' +
      'imap = ["127.0.0.1:0"]\npop3 = ["127.0.0.1:0"]\n[auth]\nplaintext = "loopback"\n[guards]\n' +
      `trusted = ${JSON.stringify(trusted)}\n[log]\nlevel = "error"\n${more}`,
  )
  if (data === null) addAccounts(folder, config, accounts)
  const child = spawn(process.execPath, [main, 'serve', '--config', config, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const line = await firstLine<ReadyLine>(child)
  return {
    pid: child.pid!,
    line,
    stop: () =>
      new Promise((resolve) => {
        child.once('close', () => {
          rmSync(folder, { recursive: true, force: true })
          resolve()
        })
        child.kill('SIGTERM')
      }),
  }
}

function addAccounts(folder: string, config: string, count: number): void {
  const list = join(folder, 'accounts')
  writeFileSync(list, Array.from({ length: count }, (_, i) => `u${i + 1}@bench.test\tpw\n`).join(''))
  for (const args of [
    ['domain', 'add', 'bench.test'],
    ['account', 'add', '--from', list],
  ]) {
    const done = spawnSync(process.execPath, [main, '--config', config, ...args], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stderr)
  }
}

export function portOf(endpoint: string | undefined): number {
  return Number(endpoint?.slice(endpoint.lastIndexOf(':') + 1))
}
