/** `posthorn backup`, `restore` and `verify` as people meet them, with a server running and without. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import { startPosthorn } from '../harness/process.ts'
import { startLoad } from '../harness/smtp-load.ts'
import { temporaryFolder } from '../harness/temp.ts'

function setUp(t: TestContext) {
  const folder = temporaryFolder(t)
  const toml = [
    'hostname = "mail.hamburger.edu"',
    '[listen]',
    'smtp = ["127.0.0.1:0"]',
    '[guards]',
    'trusted = ["127.0.0.1"]',
  ]
  writeFileSync(join(folder, 'posthorn.toml'), toml.join('\n'))
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder }
  const start = (args: string[], input = '') => startPosthorn(t, args, { cwd: folder, env, input })
  async function run(args: string[], input = '') {
    const running = start(args, input)
    const { code } = await running.ended
    return { code, stdout: running.stdout, stderr: running.stderr }
  }
  async function json(args: string[], code = 0) {
    const ran = await run([...args, '--json'])
    assert.equal(ran.code, code, ran.stdout + ran.stderr)
    return JSON.parse(code === 2 || ran.stdout === '' ? ran.stderr : ran.stdout)
  }
  return { folder, start, run, json }
}

async function deliver(line: ReadyLine, letters: number): Promise<void> {
  const [, port] = /:(\d+)$/.exec(line.servers[0]!.smtp!)!
  const endpoint = { address: '127.0.0.1', port: Number(port) }
  let accepted = 0
  await startLoad({
    ...{ endpoint, sessions: 4, letters, octets: 2_000 },
    recipient: () => 'bob@hamburger.edu',
    onAccepted: () => void accepted++,
  }).ended
  assert.equal(accepted, letters)
}

test('backup, verify and restore by the command line', { timeout: 180_000 }, async (t) => {
  const { folder, start, run, json } = setUp(t)
  assert.equal((await run(['domain', 'add', 'hamburger.edu'])).code, 0)
  assert.equal((await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n')).code, 0)
  const server = start(['serve', '--json'])
  const line = await server.json<ReadyLine>('ready')
  await deliver(line, 200)

  const first = await json(['backup', 'kept', '--keep', '3'])
  assert.deepEqual([first.version, first.messages, first.accounts, first.missing], [1, 200, 1, []])
  await deliver(line, 50)
  const text = await run(['backup', 'kept'])
  assert.match(text.stdout, /250 messages of 1 accounts/)
  assert.equal((await json(['backup', 'kept', '--list'])).backups.length, 2)
  assert.equal((await json(['verify'])).sound, true)
  assert.equal((await json(['verify', '--backup', 'kept', '--at', first.name])).messages, 200)
  assert.equal((await json(['backup', 'data/within'], 1)).error.code, 'backup-unusable')
  assert.equal((await json(['backup', '/proc/nowhere'], 1)).error.code !== undefined, true)

  assert.equal((await run(['account', 'remove', 'bob@hamburger.edu', '--yes'])).code, 0)
  const account = await json(['restore', 'kept', '--account', 'bob@hamburger.edu', '--under', 'Restored'])
  assert.deepEqual([account.added, account.accountMade, account.failedCount], [250, true, 0])
  assert.equal(
    (await json(['restore', 'kept', '--account', 'x@hamburger.edu'], 3)).error.code,
    'account-unknown',
  )
  server.signal('SIGTERM')
  await server.ended

  assert.equal((await json(['verify'])).sound, true)
  const whole = await run(['restore', 'kept', '--into', 'anew'])
  assert.equal(whole.code, 0, whole.stderr)
  assert.match(whole.stdout, /250 messages of 1 accounts/)
  assert.match((await run(['verify', '--data', 'anew'])).stdout, /Sound: 250 messages/)
  assert.equal((await json(['restore', 'kept', '--into', 'anew'], 1)).error.code, 'backup-unusable')

  const segment = join(folder, 'anew/shard-00/seg', readdirSync(join(folder, 'anew/shard-00/seg'))[0]!)
  const octets = readFileSync(segment)
  octets[octets.lastIndexOf('PSTR') + 60]! ^= 1
  writeFileSync(segment, octets)
  const found = await run(['verify', '--data', 'anew'])
  assert.equal(found.code, 1)
  assert.match(found.stdout, /body {2}bob@hamburger\.edu, INBOX, UID \d+: The body is damaged/)
  assert.equal((await json(['verify', '--data', 'anew'], 1)).problems.length, 1)
  rmSync(join(folder, 'anew'), { recursive: true })
  assert.equal((await json(['verify', '--data', 'anew'], 3)).error.code, 'no-store')
  assert.equal((await run(['restore', 'kept'])).code, 2)
  assert.equal((await run(['restore', 'nowhere', '--into', 'anew'])).code, 1)
})
