/** The command line as people meet it: child processes, with a server running and without. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type RunningProcess, startPosthorn } from '../../test/harness/process.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import type { ReadyLine } from '../daemon/ready-line.ts'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const main = [
  'hostname = "mail.hamburger.edu"',
  '[listen]',
  'smtp = ["127.0.0.1:0"]',
  'pop3 = ["127.0.0.1:0"]',
]

function setUp(t: TestContext, toml = main.join('\n')) {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'posthorn.toml'), toml)
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder }
  async function run(args: string[], input = ''): Promise<Ran> {
    const { ended, ...rest } = await end(startPosthorn(t, args, { cwd: folder, env, input }))
    return { code: ended.code, ...rest }
  }
  const start = (args: string[]) => startPosthorn(t, args, { cwd: folder, env })
  return { folder, run, start }
}

async function end(running: RunningProcess) {
  const ended = await running.ended
  return { ended, stdout: running.stdout, stderr: running.stderr }
}

function assertRan(ran: Ran, code: number, stdout: RegExp | null, stderr: RegExp | null = null): void {
  assert.equal(ran.code, code, ran.stdout + ran.stderr)
  if (stdout === null) assert.equal(ran.stdout, '')
  else assert.match(ran.stdout, stdout)
  if (stderr !== null) assert.match(ran.stderr, stderr)
  assert.doesNotMatch(
    ran.stdout + ran.stderr,
    /\x1b|\n {4}at /,
    'no colours into a pipe, no stack for a person',
  )
}

/** Everything that must be the same whether a server runs or not. */
async function manage(run: (args: string[], input?: string) => Promise<Ran>, folder: string): Promise<void> {
  assertRan(await run(['domain', 'list']), 0, /No domains yet. Add the first one: posthorn domain add/)
  assertRan(
    await run(['account', 'add', 'bob@hamburger.edu'], 'x'),
    3,
    null,
    /posthorn domain add hamburger\.edu/,
  )
  assertRan(
    await run(['domain', 'add', 'hamburger.edu']),
    0,
    /Next: posthorn account add NAME@hamburger\.edu/,
  )
  assertRan(await run(['domain', 'add', '--primary', 'mail.b.example', 'b.example']), 0, /kept and passed on/)
  assertRan(
    await run(['domain', 'list']),
    0,
    /^DOMAIN\nhamburger\.edu\nb\.example +backup for mail\.b\.example\n$/,
  )
  assertRan(await run(['domain', 'remove', 'b.example']), 0, /Removed b\.example/)
  assertRan(await run(['account', 'list']), 0, /No accounts yet/)
  assertRan(await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n'), 0, /Added bob@hamburger\.edu/)
  assertRan(
    await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n'),
    1,
    null,
    /already\n.*account password/,
  )
  assertRan(await run(['account', 'add', 'ann@hamburger.edu']), 2, null, /No password was given/)
  assertRan(await run(['account', 'password', 'ann@hamburger.edu'], 'x'), 3, null, /There is no account/)
  assertRan(await run(['account', 'password', 'bob@hamburger.edu'], 'full'), 0, /is changed/)
  const file = join(folder, 'people')
  writeFileSync(file, 'ann@hamburger.edu\tsecret\nben@hamburger.edu\n')
  assertRan(
    await run(['account', 'add', '--from', file]),
    2,
    null,
    /people:2: Not an address, a tab.*\n.*Nothing was added/,
  )
  writeFileSync(file, 'ann@hamburger.edu\tsecret\nben@hamburger.edu\tsecret\n')
  assertRan(await run(['account', 'add', '--from', file]), 0, /Added 2 accounts\./)
  assertRan(
    await run(['account', 'add', '--from', file, '--skip-existing']),
    0,
    /Added 0 accounts, passed over 2/,
  )
  assertRan(
    await run(['alias', 'add', 'all@hamburger.edu', 'ann@hamburger.edu', 'x@crepes.fr']),
    0,
    /leads to/,
  )
  assertRan(
    await run(['alias', 'list']),
    0,
    /^ALIAS +LEADS TO\nall@hamburger\.edu +ann@hamburger\.edu, x@crepes\.fr\n$/,
  )
  assertRan(await run(['account', 'remove', 'ben@hamburger.edu']), 2, null, /--yes/)
  assertRan(await run(['account', 'remove', 'ben@hamburger.edu', '--yes']), 0, /Removed ben@hamburger\.edu/)
  const listed = await run(['account', 'list', '--json'])
  const { version, accounts } = JSON.parse(listed.stdout)
  assert.deepEqual(
    [version, accounts.map(({ address }: { address: string }) => address)],
    [1, ['bob@hamburger.edu', 'ann@hamburger.edu']],
  )
  assertRan(await run(['queue', 'ls']), 0, /The queue is empty/)
  assertRan(await run(['queue', 'drop', '9']), 3, null, /queue ls shows what waits/)
  assertRan(await run(['reports']), 0, /No reports have come/)
  assertRan(await run(['reports', 'show', '9']), 3, null, /reports ls shows/)
  assertRan(await run(['way', 'last']), 3, null, /No message has come this way yet\n.*posthorn send/)
  const json = await run(['way', 'nonesuch', '--json'])
  assert.equal(JSON.parse(json.stderr).error.code, 'no-journey')
}

test('a data folder is managed without a server', async (t) => {
  const { run, folder } = setUp(t)
  await manage(run, folder)
})

test('two commands at once wait for each other', async (t) => {
  const { run } = setUp(t)
  await run(['domain', 'add', 'hamburger.edu'])
  const names = ['ann', 'ben', 'cat']
  for (const ran of await Promise.all(
    names.map((name) => run(['account', 'add', `${name}@hamburger.edu`], 'x')),
  )) {
    assertRan(ran, 0, /Added/)
  }
})

test('a data folder is managed through the server that owns it, which ends when it is asked to', async (t) => {
  const { run, start, folder } = setUp(t)
  const server = start(['serve', '--json'])
  const line = await server.json<ReadyLine>('ready')
  assert.equal(line.pid, server.pid)
  assert.match(line.servers[0]?.pop3 ?? '', /^127\.0\.0\.1:\d+$/)
  await manage(run, folder)
  assertRan(await run(['serve']), 75, null, /in use by another process/)
  server.signal('SIGHUP')
  server.signal('SIGTERM')
  assert.deepEqual(await server.ended, { code: 0, signal: null })
  assertRan(await run(['domain', 'list']), 0, /hamburger\.edu/)
})

test('serve says in words which doors are open and what to try', async (t) => {
  const { start } = setUp(t)
  const server = start(['serve'])
  await server.line('Ctrl-C stops it')
  assert.match(server.stdout, /smtp +127\.0\.0\.1:\d+ +mail from other servers/)
  assert.match(server.stdout, /posthorn domain add hamburger\.edu/)
})

test('a configuration that cannot be used stops everything with its line', async (t) => {
  const { run } = setUp(t, 'hostname = "mail.example"\n[listen]\nsmpt = ["127.0.0.1:0"]')
  const complaint = /posthorn\.toml:3:1: Unknown key listen\.smpt\n +Did you mean smtp\?/
  for (const args of [['serve'], ['config', 'check'], ['account', 'list'], ['way']]) {
    assertRan(await run(args), 2, null, complaint)
  }
})

test('config check says what a file means', async (t) => {
  const { run, folder } = setUp(t)
  assertRan(await run(['config', 'check']), 0, /calls itself +mail\.hamburger\.edu\n.*keeps mail in/)
  assertRan(await run(['config', 'check', 'none.toml']), 2, null, /There is no such file/)
  const { config } = JSON.parse((await run(['config', 'check', '--json'])).stdout)
  assert.equal(config.data, join(folder, 'data'))
})

test('wrong use is 2, help and version are 0', async (t) => {
  const { run } = setUp(t)
  assertRan(await run(['frob']), 2, null, /unknown command 'frob'/)
  assertRan(await run(['account', 'add']), 2, null, /Give either an address or --from/)
  assertRan(await run(['lab', '--scene', 'tomorrow']), 2, null, /--scene today or --scene lecture/)
  assertRan(await run(['lab', '--ports', '65530']), 2, null, /cannot be used/)
  assertRan(await run(['--version']), 0, /^\d+\.\d+\.\d+\n$/)
  assertRan(await run(['start', '--help']), 0, /Usage: posthorn lab/)
  assertRan(await run(['--help']), 0, /Exit codes: 0 done/)
})

test('commands without a configuration find the Lab that is running, and say when none is', async (t) => {
  const folder = temporaryFolder(t)
  const env = { XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder }
  const run = async (...args: string[]): Promise<Ran> => {
    const { ended, ...rest } = await end(startPosthorn(t, args, { cwd: folder, env, input: '' }))
    return { code: ended.code, ...rest }
  }
  assertRan(await run('queue'), 3, null, /no Lab is running\n.*posthorn lab/)
  const lab = startPosthorn(t, ['start', '--json', '--ports', '0'], { cwd: folder, env })
  const line = await lab.json<ReadyLine>('ready')
  assert.equal(line.accounts?.length, 2)
  assertRan(await run('domain', 'list'), 0, /crepes\.fr\nhamburger\.edu/)
  assertRan(await run('account', 'list'), 0, /bob@hamburger\.edu +2 +1\.4 kB/)
  assertRan(await run('domain', 'add', 'x.example'), 1, null, /DNS knows/)
  assertRan(
    await run('account', 'remove', 'bob@x.example', '--yes'),
    3,
    null,
    /The Lab has crepes\.fr and hamburger\.edu/,
  )
  assertRan(await run('lab', 'reset'), 0, /498 and 912 octets/)
  assertRan(await run('lab', 'stop'), 0, /stopping/)
  assert.deepEqual(await lab.ended, { code: 0, signal: null })
  assertRan(await run('way'), 3, null, /no Lab is running/)
})

test('what the store refuses is told in a sentence', async (t) => {
  const { run } = setUp(t)
  await run(['domain', 'add', 'hamburger.edu'])
  await run(['account', 'add', 'bob@hamburger.edu'], 'hungry\n')
  const inUse = /posthorn: hamburger\.edu still has accounts or aliases\n {2}Remove its accounts/
  assertRan(await run(['domain', 'remove', 'hamburger.edu']), 1, null, inUse)
  const taken = /posthorn: There is hamburger\.edu already|posthorn: hamburger\.edu is .*already/
  assertRan(await run(['domain', 'add', 'hamburger.edu']), 1, null, taken)
})

test('a data folder that somebody made with wide rights does not show the mail to all users', async (t) => {
  const { run, folder } = setUp(t)
  mkdirSync(join(folder, 'data'))
  assertRan(await run(['domain', 'add', 'hamburger.edu']), 0, /Added/)
  const names = readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' })
  assert.ok(names.length > 3)
  for (const name of names) assert.equal(statSync(join(folder, 'data', name)).mode & 0o077, 0, name)
})
