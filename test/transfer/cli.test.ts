/** The commands as people give them: killed, with a server and without, with what they print. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import { startPosthorn } from '../harness/process.ts'
import { temporaryFolder } from '../harness/temp.ts'

const toml = [
  'hostname = "mail.hamburger.edu"',
  '[listen]',
  'imap = ["127.0.0.1:0"]',
  '[auth]',
  'plaintext = "loopback"',
].join('\n')

async function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'posthorn.toml'), toml)
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: join(folder, 'state') }
  const start = (...args: string[]) => startPosthorn(t, args, { cwd: folder, env, input: '' })
  async function run(...args: string[]) {
    const running = start(...args)
    const { code } = await running.ended
    return { code, stdout: running.stdout, stderr: running.stderr }
  }
  await run('domain', 'add', 'hamburger.edu')
  const adding = startPosthorn(t, ['account', 'add', 'bob@hamburger.edu'], {
    cwd: folder,
    env,
    input: 'hungry\n',
  })
  await adding.ended
  return { folder, start, run }
}

const bob = 'bob@hamburger.edu'

function writeMbox(file: string, count: number, octets: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `m${i}`)
  const filler = `${'x'.repeat(70)}\n`.repeat(octets / 71)
  const text = names.map(
    (name, i) =>
      `From ada@client.example Thu Nov  6 10:${String(Math.floor(i / 60) % 60).padStart(2, '0')}:${String(i % 60).padStart(2, '0')} 2025\nX: ${name}\nStatus: ${i % 2 === 0 ? 'RO' : 'O'}\n\n${filler}\n`,
  )
  writeFileSync(file, text.join(''))
  return names
}

/** Names of the messages in an exported mbox, in its order. */
function namesIn(file: string): string[] {
  return [...readFileSync(file, 'latin1').matchAll(/^X: (\w+)$/gm)].map(([, name]) => name!)
}

async function killAndResume(t: TestContext, withServer: boolean): Promise<void> {
  const { folder, start, run } = await setUp(t)
  const file = join(folder, 'in.mbox')
  const names = writeMbox(file, 1_500, 4_000)
  const server = withServer ? start('serve', '--json') : null
  await server?.json<ReadyLine>('ready')
  for (let kills = 0; kills < 3; kills++) {
    const importing = start('import', bob, file, '--json')
    // The first progress is told after a second; the second time it is killed as soon as it can have begun.
    if (kills % 2 === 0) await importing.json('progress').catch(() => null)
    else await sleep(900)
    importing.signal('SIGKILL')
    await importing.ended
  }
  const last = await run('import', bob, file, '--json')
  assert.equal(last.code, 0, last.stderr)
  const result = JSON.parse(last.stdout.trim().split('\n').at(-1)!)
  assert.equal(result.filed + result.filedBefore, names.length)
  const exported = await run('export', bob, 'out', '--format', 'mbox', '--mailbox', 'in')
  assert.equal(exported.code, 0, exported.stderr)
  assert.deepEqual(namesIn(join(folder, 'out', 'in.mbox')), names)
  const undone = await run('import', bob, file, '--undo')
  assert.match(undone.stdout, /^Took back 1500 messages\. Removed the mailboxes in\.\n$/)
}

test('an import that is killed again and again ends with each message once', { timeout: 300_000 }, (t) =>
  killAndResume(t, false),
)

test('the same with a server that goes on running', { timeout: 300_000 }, (t) => killAndResume(t, true))

test('a server that is killed in the middle of an import loses nothing of it', {
  timeout: 300_000,
}, async (t) => {
  const { folder, start, run } = await setUp(t)
  const file = join(folder, 'in.mbox')
  const names = writeMbox(file, 2_000, 6_000)
  const server = start('serve', '--json')
  await server.json('ready')
  const importing = start('import', bob, file, '--json')
  await importing.json('progress').catch(() => null)
  server.signal('SIGKILL')
  const { code } = await importing.ended
  if (code !== 0) {
    assert.equal(code, 75, importing.stderr)
    assert.match(importing.stderr, /again/)
  }
  const again = await run('import', bob, file)
  assert.equal(again.code, 0, again.stderr)
  await run('export', bob, 'out', '--format', 'mbox', '--mailbox', 'in')
  assert.deepEqual(namesIn(join(folder, 'out', 'in.mbox')), names)
})

test('an export that is killed goes on, and what it wrote is whole', { timeout: 300_000 }, async (t) => {
  const { folder, start, run } = await setUp(t)
  const names = writeMbox(join(folder, 'in.mbox'), 1_500, 4_000)
  await run('import', bob, 'in.mbox')
  for (const format of ['mbox', 'maildir']) {
    const out = join(folder, format)
    for (let kills = 0; kills < 1; kills++) {
      const exporting = start('export', bob, out, '--format', format)
      await sleep(700 + 500 * kills)
      exporting.signal('SIGKILL')
      await exporting.ended
    }
    const last = await run('export', bob, out, '--format', format)
    assert.equal(last.code, 0, last.stderr)
    const into = `back-${format}`
    assert.equal((await run('import', bob, out, '--into', into)).code, 0)
    await run('export', bob, `${format}-back`, '--format', 'mbox', '--mailbox', `${into}/in`)
    assert.deepEqual(namesIn(join(folder, `${format}-back`, into, 'in.mbox')), names, format)
  }
})

test('what the commands say and end with', async (t) => {
  const { folder, run } = await setUp(t)
  writeMbox(join(folder, 'in.mbox'), 3, 71)
  const dry = await run('import', bob, 'in.mbox', '--dry-run')
  assert.match(
    dry.stdout,
    /^Would import 3 messages \(\d+ B\) for bob@hamburger\.edu in [\d.]+ s.*\n {2}in {2}3\n$/,
  )
  assert.deepEqual([dry.code, dry.stderr], [0, ''])
  assert.match((await run('import', bob, 'in.mbox')).stdout, /^Imported 3 messages/)
  assert.match(
    (await run('import', bob, 'in.mbox')).stdout,
    /^Imported 0 messages.*\n3 had been imported before\.\n$/,
  )
  assert.match((await run('import', bob, 'in.mbox', '--again')).stdout, /^Imported 3 messages/)
  assert.match((await run('import', bob, 'in.mbox', '--into', 'Old', '--seen')).stdout, / {2}Old\/in {2}3/)

  writeFileSync(join(folder, 'bad.mbox'), `junk\n\n${readFileSync(join(folder, 'in.mbox'), 'latin1')}`)
  const bad = await run('import', bob, 'bad.mbox')
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /^skipped .*bad\.mbox, offset 0: no “From ” line begins a message here\n$/)
  assert.match(bad.stdout, /^Imported 3 messages.*\nSkipped 1 /)
  const badJson = await run('import', bob, 'bad.mbox', '--json')
  assert.equal(badJson.code, 1)
  const { filed, filedBefore, skipped } = JSON.parse(badJson.stdout)
  assert.deepEqual([filed, filedBefore, skipped.length], [0, 3, 1])

  for (const [args, code, told] of [
    [['import', bob, 'none.mbox'], 3, /Cannot read .*none\.mbox/],
    [['import', 'nobody@hamburger.edu', 'in.mbox'], 3, /There is no account/],
    [['import', bob, 'in.mbox', '--format', 'tar'], 2, /Allowed choices/],
    [['import', bob, 'state', '--undo'], 3, /Nothing was imported from/],
    [['import', bob, 'in.mbox', '--undo', '--again'], 2, /--undo goes alone/],
    [['export', bob, 'out'], 2, /--format/],
    [
      ['export', bob, 'out', '--format', 'mbox', '--mailbox', 'Nowhere'],
      3,
      /There is no mailbox Nowhere\n.*INBOX/,
    ],
    [['export', bob, '.', '--format', 'mbox'], 1, /is not from this export/],
  ] as const) {
    const ran = await run(...args)
    assert.equal(ran.code, code, ran.stderr)
    assert.match(ran.stderr, told)
  }
  const exported = await run('export', bob, 'out', '--format', 'eml', '--mailbox', 'Old', '--json')
  assert.deepEqual(JSON.parse(exported.stdout).paths, { Old: 'Old', 'Old/in': 'Old/in' })
  assert.equal(
    readdirSync(join(folder, 'out', 'Old', 'in')).filter((name) => name.endsWith('.eml')).length,
    3,
  )
})

test('others are served while an import runs', { timeout: 300_000 }, async (t) => {
  const { folder, start } = await setUp(t)
  mkdirSync(join(folder, 'mail'))
  writeMbox(join(folder, 'mail', 'in.mbox'), 3_000, 8_000)
  const server = start('serve', '--json')
  const line = await server.json<ReadyLine>('ready')
  const [host = '', port = ''] = (line.servers[0]?.imap ?? '').split(/:(?=\d+$)/)
  const socket = connect(Number(port), host)
  t.after(() => socket.destroy())
  const answers: (() => void)[] = []
  socket.on('data', () => answers.shift()?.())
  await new Promise<void>((resolve) => answers.push(resolve))
  const importing = start('import', bob, 'mail', '--json')
  const waits: number[] = []
  let over = false
  void importing.ended.then(() => {
    over = true
  })
  while (!over) {
    const began = performance.now()
    socket.write('a NOOP\r\n')
    await new Promise<void>((resolve) => answers.push(resolve))
    waits.push(performance.now() - began)
    await sleep(5)
  }
  assert.equal((await importing.ended).code, 0, importing.stderr)
  waits.sort((a, b) => a - b)
  const median = waits[Math.floor(waits.length / 2)]!
  t.diagnostic(
    `NOOP: median ${median.toFixed(1)} ms, p99 ${waits[Math.floor(waits.length * 0.99)]!.toFixed(1)} ms`,
  )
  // A machine that does other things too makes anybody wait; an import that held others up would do so always.
  assert.ok(median < 50, `${median} ms`)
})
