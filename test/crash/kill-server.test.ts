/**
 * Promise 1: after 250 the letter survives kill -9. A whole server takes letters over SMTP and is killed in the midst of
 * it, again and again, every third time also while it recovers; then its mailboxes are read over IMAP.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Endpoint } from '../../src/base/config.ts'
import { speakTo } from '../harness/replay.ts'
import { startLoad } from '../harness/smtp-load.ts'

const rounds = 20
const accounts = 5
const main = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** A small generator with a printed seed, so that a failing run can be played again. */
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
let state = seed
function random(below: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
  return state % below
}

interface Running {
  readonly child: ChildProcess
  readonly smtp: Endpoint
  readonly imap: Endpoint
}

test(`kill -9 loses no acknowledged letter in ${rounds} rounds, and UIDs only grow (SEED=${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-kill-'))
  const config = join(folder, 'posthorn.toml')
  writeFileSync(
    config,
    `hostname = "mail.hamburger.example"\ndata = "data"\n[listen]\nsmtp = ["127.0.0.1:0"]\nimap = ["127.0.0.1:0"]\n` +
      `[auth]\nplaintext = "loopback"\n[guards]\ntrusted = ["127.0.0.1"]\n`,
  )
  try {
    await command(config, ['domain', 'add', 'hamburger.example'], '')
    const list = Array.from({ length: accounts }, (_, i) => `u${i}@hamburger.example\thungry\n`).join('')
    const file = join(folder, 'accounts')
    writeFileSync(file, list)
    await command(config, ['account', 'add', '--from', file], '')
    await killRounds(config)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

async function killRounds(config: string): Promise<void> {
  const acknowledged = new Set<number>()
  const sent = new Set<number>()
  const seen = Array.from({ length: accounts }, () => ({
    uidValidity: '',
    uids: new Map<number, number>(),
    uidNext: 1,
  }))
  let first = 1
  for (let round = 1; round <= rounds; round++) {
    let running = await start(config)
    const load = startLoad({
      endpoint: running.smtp,
      sessions: 10,
      recipient: (n) => `u${n % accounts}@hamburger.example`,
      octets: 4_000,
      letters: Number.POSITIVE_INFINITY,
      first,
      onSent: (n) => void sent.add(n),
      onAccepted: (n) => void acknowledged.add(n),
    })
    await new Promise((resolve) => setTimeout(resolve, 50 + random(250)))
    await kill(running)
    load.stop()
    await load.ended
    first = Math.max(first, ...sent) + 1
    if (round % 3 === 0) {
      // Again while it recovers: the moment is anywhere between the start of the process and its first reply.
      const recovering = launch(config)
      await new Promise((resolve) => setTimeout(resolve, random(400)))
      await kill({ child: recovering })
    }
    running = await start(config)
    for (let account = 0; account < accounts; account++) {
      await checkMailbox(running.imap, account, seen[account]!, acknowledged, sent)
    }
    await kill(running)
  }
  assert.ok(acknowledged.size > rounds * 10, `only ${acknowledged.size} letters were acknowledged: no load`)
}

async function checkMailbox(
  imap: Endpoint,
  account: number,
  seen: { uidValidity: string; uids: Map<number, number>; uidNext: number },
  acknowledged: ReadonlySet<number>,
  sent: ReadonlySet<number>,
): Promise<void> {
  const lines = await imapLines(imap, `u${account}@hamburger.example`)
  const uidValidity = /UIDVALIDITY (\d+)/.exec(lines)?.[1] ?? ''
  if (seen.uidValidity !== '') assert.equal(uidValidity, seen.uidValidity)
  seen.uidValidity = uidValidity
  const uidNext = Number(/UIDNEXT (\d+)/.exec(lines)?.[1])
  assert.ok(uidNext >= seen.uidNext, 'UIDNEXT went back')
  seen.uidNext = uidNext
  const found = new Map<number, number>()
  let lastUid = 0
  for (const [, uid, number] of lines.matchAll(/\* \d+ FETCH \(UID (\d+) [^\r]*\r\nX-Number: (\d+)/g)) {
    assert.ok(Number(uid) > lastUid, 'UIDs are not in order')
    lastUid = Number(uid)
    assert.ok(!found.has(Number(number)), `letter ${number} is there twice`)
    assert.ok(sent.has(Number(number)), `letter ${number} was never sent`)
    found.set(Number(number), Number(uid))
  }
  for (const [number, uid] of seen.uids)
    assert.equal(found.get(number), uid, `letter ${number} has changed its UID`)
  for (const number of acknowledged) {
    if (number % accounts === account)
      assert.ok(found.has(number), `letter ${number} was acknowledged and is lost`)
  }
  seen.uids = found
}

/** Everything the server says to SELECT and to FETCH of all numbers. */
async function imapLines(imap: Endpoint, user: string): Promise<string> {
  const speaker = await speakTo(imap)
  let text = ''
  speaker.socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  const until = async (tag: string): Promise<void> => {
    const deadline = Date.now() + 20_000
    while (!new RegExp(`(^|\\r\\n)${tag} [^\\r]*\\r\\n`).test(text)) {
      if (Date.now() > deadline) assert.fail(`no answer to ${tag}: ${text.slice(-500)}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.match(text, new RegExp(`(^|\\r\\n)${tag} OK`))
  }
  speaker.send(`a LOGIN ${user} hungry\r\n`)
  await until('a')
  speaker.send('b SELECT INBOX\r\n')
  await until('b')
  speaker.send('c UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (X-Number)])\r\n')
  await until('c')
  speaker.socket.destroy()
  return text
}

function launch(config: string): ChildProcess {
  return spawn(process.execPath, [main, 'serve', '--config', config, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function start(config: string): Promise<Running> {
  const child = launch(config)
  let errors = ''
  child.stderr!.on('data', (chunk) => {
    errors += String(chunk)
  })
  for await (const line of createInterface({ input: child.stdout! })) {
    const ready = JSON.parse(line) as { servers: { smtp: string; imap: string }[] }
    const server = ready.servers[0]!
    return { child, smtp: endpoint(server.smtp), imap: endpoint(server.imap) }
  }
  throw new Error(`The server did not start: ${errors}`)
}

function endpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}

function kill({ child }: { child: ChildProcess }): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.kill('SIGKILL')
  })
}

function command(config: string, args: string[], input: string): Promise<void> {
  const child = spawn(process.execPath, [main, '--config', config, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${args.join(' ')}: ${errors}`)),
    )
  })
}
