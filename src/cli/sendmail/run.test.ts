/** `posthorn sendmail` as other programs call it, with a server and without. */
import assert from 'node:assert/strict'
import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startPosthorn } from '../../../test/harness/process.ts'
import { temporaryFolder } from '../../../test/harness/temp.ts'

async function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const config = join(folder, 'posthorn.toml')
  const toml = ['hostname = "mail.hamburger.edu"', '[listen]', 'smtp = ["127.0.0.1:0"]']
  // Nobody is called on: what leaves waits in the queue.
  writeFileSync(config, [...toml, '[dns]', 'servers = ["127.0.0.1:9"]'].join('\n'))
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder }
  async function run(args: string[], input = '') {
    const running = startPosthorn(t, ['--config', config, ...args], { cwd: '/', env, input })
    const { code } = await running.ended
    return { code, stdout: running.stdout, stderr: running.stderr }
  }
  let exports = 0
  async function inbox(): Promise<string> {
    const target = join(folder, `export-${++exports}`)
    const done = await run(['export', 'bob@hamburger.edu', target, '--format', 'mbox'])
    assert.equal(done.code, 0, done.stderr)
    return readFileSync(join(target, 'INBOX.mbox'), 'latin1').replaceAll('\r', '')
  }
  await run(['domain', 'add', 'hamburger.edu'])
  await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n')
  const serve = async () => {
    const server = startPosthorn(t, ['serve', '--config', config, '--json'], { cwd: folder, env })
    await server.json('ready')
    return server
  }
  return { folder, config, env, run, inbox, serve }
}

test('a message is filed and queued, whether a server runs or not; exit codes are those of sysexits', async (t) => {
  const { run, inbox, serve } = await setUp(t)
  const text =
    'To: Bob <bob>, alice@crepes.fr\nBcc: eve@crepes.fr\nSubject: Lunch\n\nHungry?\n.\nnever read\n'
  const direct = await run(['sendmail', '-t', '-f', 'bob@hamburger.edu'], text)
  assert.deepEqual(direct, { code: 0, stdout: '', stderr: '' })
  assert.match(await inbox(), /Subject: Lunch\n\nHungry\?\n+$/)
  assert.match((await run(['queue', 'ls'])).stdout, /bob@hamburger\.edu +2 at crepes\.fr/)

  const server = await serve()
  assert.equal((await run(['sendmail', '-i', 'bob'], 'Subject: Second\n\nHungry?\n.\n')).code, 0)
  assert.match(await inbox(), /Subject: Second\n\nHungry\?\n\.\n+$/)
  const codes = async (args: string[], input: string) => (await run(['sendmail', ...args], input)).code
  assert.equal(await codes(['-bs', 'bob'], ''), 64)
  assert.equal(await codes([], 'Subject: x\n\n'), 64)
  assert.equal(await codes(['-t'], 'Subject: x\n\n'), 64)
  assert.equal(await codes(['bob'], 'From: a@b.example\nFrom: c@b.example\n\n'), 65)
  const unknown = await run(['sendmail', 'nobody', 'bob'], 'Subject: Third\n\n')
  assert.equal(unknown.code, 67)
  assert.match(unknown.stderr, /^sendmail: nobody@hamburger\.edu: No such user here\n$/)
  assert.match(await inbox(), /Subject: Third/)
  assert.equal(await codes(['-q'], ''), 0)
  assert.match((await run(['sendmail', '-bp'])).stdout, /at crepes\.fr/)
  const way = await run(['way', 'last', '--json'])
  assert.match(way.stdout, /sendmail, /)
  await server.stop()
})

test('a large message comes in pieces, and one that is too large is refused as a whole', async (t) => {
  const { run, inbox, config } = await setUp(t)
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} of a long letter, with an é or two`)
  assert.equal((await run(['sendmail', 'bob'], `Subject: long\n\n${lines.join('\n')}\n`)).code, 0)
  assert.match(await inbox(), /line 0 of[\s\S]*line 19999 of a long letter, with an \xc3\xa9 or two\n/)
  writeFileSync(config, `${readFileSync(config, 'utf8')}\n[limits]\nsubmission_octets = 1000\n`)
  const refused = await run(['sendmail', 'bob'], `Subject: longer\n\n${lines.join('\n')}\n`)
  assert.equal(refused.code, 65)
  assert.match(refused.stderr, /over 1000 octets/)
  assert.doesNotMatch(await inbox(), /longer/)
})

test('without a configuration there is no server to hand it to', async (t) => {
  const folder = temporaryFolder(t)
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder }
  const call = (args: string[]) => startPosthorn(t, args, { cwd: folder, env, input: 'Subject: x\n\n' }).ended
  assert.equal((await call(['--config', join(folder, 'none.toml'), 'sendmail', 'bob'])).code, 78)
  assert.equal((await call(['--lab', 'sendmail', 'bob'])).code, 69)
})

test('what root sends while no server runs belongs to the server’s user', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const { folder, run } = await setUp(t)
  const data = join(folder, 'data')
  const nobody = 65_534
  const files = () => [
    data,
    ...readdirSync(data, { recursive: true }).map((name) => join(data, String(name))),
  ]
  for (const file of [folder, join(folder, 'posthorn.toml'), ...files()]) chownSync(file, nobody, nobody)
  const sent = await run(['sendmail', 'bob'], 'Subject: x\n\n')
  assert.equal(sent.code, 0, sent.stderr)
  for (const file of files()) assert.equal(statSync(file).uid, nobody, file)
  assert.match((await run(['way', 'last'])).stdout, /root@hamburger\.edu/)
})
