/** A whole server under test/powercut/shim.c, for a test that takes its disk away while it runs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Endpoint } from '../../src/base/config.ts'
import { type Attacker, attack } from '../attack/client.ts'
import { startProcess } from '../harness/process.ts'
import { temporaryFolder } from '../harness/temp.ts'
import { buildShim, Orders } from '../powercut/shim.ts'

export interface FaultyServer {
  readonly orders: Orders
  readonly pid: number
  readonly data: string
  readonly smtp: Endpoint
  /** What SMTP answers to a letter: its code and text. */
  deliver(subject: string, octets?: number): Promise<string>
  imap(): Promise<Attacker>
  pop3(): Promise<Attacker>
}

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
const doors = ['smtp', 'imap', 'pop3'] as const

/** @param options.openFiles As `ulimit -n`. @returns Null: skipped. */
export async function startFaultyServer(
  t: TestContext,
  options: { readonly limits?: string; readonly openFiles?: number } = {},
): Promise<FaultyServer | null> {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return null
  const [config, data, ordersFile] = ['posthorn.toml', 'data', 'orders'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  mkdirSync(data)
  const listen = doors.map((door) => `${door} = ["127.0.0.1:0"]\n`).join('')
  writeFileSync(
    config,
    `hostname = "mail.hamburger.example"\ndata = "data"\n[listen]\n${listen}[auth]\nplaintext = "loopback"\n` +
      `[search]\nindex_for = "everybody"\n[guards]\ntrusted = ["127.0.0.1"]\n[limits]\n${options.limits ?? 'disk_reserve_octets = 0'}\n`,
  )
  const orders = new Orders(ordersFile)
  t.after(() => orders.close())
  const run = (args: string[], input = '') =>
    execFileSync(process.execPath, [main, '--config', config, ...args], { input })
  run(['domain', 'add', 'hamburger.example'])
  run(['account', 'add', 'bob@hamburger.example'], 'hungry\n')
  const command = `ulimit -n ${options.openFiles ?? 1_000}; exec "${process.execPath}" "${main}" serve --config "${config}" --json`
  const env = { LD_PRELOAD: shim, SHIM_FOLDER: data, SHIM_ORDERS: ordersFile }
  const running = startProcess(t, 'sh', ['-c', command], { env })
  const ready = await running.json<{ pid: number; servers: Record<string, string>[] }>('ready')
  const at = (door: (typeof doors)[number]) => endpoint(ready.servers[0]![door]!)
  return {
    ...{ orders, data, pid: ready.pid, smtp: at('smtp') },
    deliver: (subject, octets = 100) => deliver(at('smtp'), subject, octets),
    imap: () =>
      logIn(
        at('imap'),
        /^\* OK.*\r\n/,
        ['a LOGIN bob@hamburger.example hungry', 'b SELECT INBOX'],
        /^[ab] OK.*\r\n/m,
      ),
    pop3: () =>
      logIn(at('pop3'), /^\+OK.*\r\n/, ['USER bob@hamburger.example', 'PASS hungry'], /^\+OK.*\r\n/m),
  }
}

function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}

async function deliver(smtp: Endpoint, subject: string, octets: number): Promise<string> {
  const client = await attack(smtp)
  await client.until(/^220.*\r\n/)
  await client.ask('EHLO crepes.example')
  await client.ask('MAIL FROM:<alice@crepes.example>')
  await client.ask('RCPT TO:<bob@hamburger.example>')
  await client.ask('DATA')
  const lines = `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72))
  client.send(
    `From: alice@crepes.example\r\nTo: bob@hamburger.example\r\nSubject: ${subject}\r\n\r\n${lines}`,
  )
  const answer = await client.ask('.')
  client.socket.destroy()
  return answer.trim()
}

async function logIn(at: Endpoint, greeting: RegExp, commands: string[], ok: RegExp): Promise<Attacker> {
  const client = await attack(at)
  await client.until(greeting)
  for (const command of commands) await client.ask(command, ok)
  return client
}
