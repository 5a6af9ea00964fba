/** What a server does that root starts: low ports, then another user, and no way back. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemRandom } from '../../src/base/random.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { startPosthorn, startProcess } from '../harness/process.ts'
import { speakTo } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

const isRoot = process.getuid?.() === 0
/** In every /etc/passwd. */
const nobody = { name: 'nobody', uid: 65_534 }
if (!isRoot) console.error('NOT TESTED, since this is not root: ports below 1024 and giving up root')
const asRoot = { skip: isRoot ? false : 'needs root' }

async function lowPort(): Promise<number> {
  for (let port = 700; port < 1_024; port++) {
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
  throw new Error('No port below 1024 is free')
}

function setUp(t: TestContext, lines: string): { folder: string; config: string } {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  const config = join(folder, 'posthorn.toml')
  writeFileSync(config, `hostname = "mail.one.example"\ndata = "data"\n${lines}`)
  const made = makeSelfSigned(
    { hostnames: ['mail.one.example'] },
    { nowMs: Date.now(), random: systemRandom },
  )
  writeFileSync(join(folder, 'cert.pem'), made.certificate)
  writeFileSync(join(folder, 'key.pem'), made.key, { mode: 0o600 })
  return { folder, config }
}

interface Ready {
  readonly pid: number
  readonly servers: readonly [{ readonly smtp: string }]
}

test(
  'root binds port 7xx, reads a key that only root may read, and becomes nobody for good',
  asRoot,
  async (t) => {
    const port = await lowPort()
    const tls = '[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n'
    const lines = `[process]\nuser = "${nobody.name}"\n${tls}[listen]\nsmtp = ["127.0.0.1:${port}"]\n`
    const { folder, config } = setUp(t, lines)
    const server = startPosthorn(t, ['serve', '--config', config, '--json'])
    const { pid } = await server.json<Ready>('ready')
    const speaker = await speakTo({ address: '127.0.0.1', port })
    await speaker.expect('220 mail.one.example ESMTP')
    speaker.send('EHLO client.example\r\n')
    await speaker.expect('250-mail.one.example')
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    // Real, effective, saved and file system id; and no capability to have them back with.
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
    assert.match(status, /^CapEff:\t0+$/m)
    assert.match(status, /^CapPrm:\t0+$/m)
    assert.doesNotMatch(status, /^Groups:.*\b0\b/m)
    assert.doesNotMatch(status, /^Gid:.*\t0\b/m)
    const data = statSync(join(folder, 'data'))
    assert.deepEqual([data.uid, data.mode & 0o777], [nobody.uid, 0o700])
    assert.equal(statSync(join(folder, 'data', 'control.sock')).uid, nobody.uid)
    speaker.socket.destroy()
    server.signal('SIGTERM')
    assert.equal((await server.ended).code, 0)
  },
)

test('as root it says that it stays so, and how that is mended', asRoot, async (t) => {
  const { config } = setUp(t, '[listen]\nsmtp = ["127.0.0.1:0"]\n')
  const server = startPosthorn(t, ['serve', '--config', config, '--json'])
  await server.json<Ready>('ready')
  server.signal('SIGTERM')
  assert.equal((await server.ended).code, 0)
  assert.match(server.stderr, /stays root/)
  assert.match(server.stderr, /user = .?"posthorn/)
})

test('a data folder of somebody else is named and left alone', asRoot, async (t) => {
  const { folder, config } = setUp(t, 'process.user = "nobody"\n[listen]\nsmtp = ["127.0.0.1:0"]\n')
  mkdirSync(join(folder, 'data'))
  const server = startPosthorn(t, ['serve', '--config', config])
  assert.notEqual((await server.ended).code, 0)
  assert.match(server.stderr, /belongs to uid 0 and not to nobody/)
  assert.match(server.stderr, /chown -R nobody:/)
  assert.equal(statSync(join(folder, 'data')).uid, 0)
})

test('a user that is not there is named', asRoot, async (t) => {
  const { config } = setUp(t, 'process.user = "no-such-user"\n[listen]\nsmtp = ["127.0.0.1:0"]\n')
  const server = startPosthorn(t, ['serve', '--config', config])
  assert.notEqual((await server.ended).code, 0)
  assert.match(server.stderr, /There is no user no-such-user/)
})

const activate = `
import os, socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(5)
print('port', s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_FDNAMES='smtp', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])
`

for (const via of ['main', 'launcher'] as const) {
  test(`a socket that systemd bound is a door: by the ${via}`, async (t) => {
    const { config } = setUp(t, isRoot ? 'process.user = "root"\n' : '')
    const root = join(import.meta.dirname, '..', '..')
    const program = via === 'main' ? join(root, 'src', 'cli', 'main.ts') : join(root, 'bin', 'posthorn')
    const args = ['-c', activate, process.execPath, program, 'serve', '--config', config, '--json']
    const server = startProcess(t, 'python3', args)
    const port = Number((await server.line(/^port /)).slice(5))
    const { servers } = await server.json<Ready>('ready')
    assert.equal(servers[0].smtp, `127.0.0.1:${port}`)
    const speaker = await speakTo({ address: '127.0.0.1', port })
    await speaker.expect('220 mail.one.example ESMTP')
    speaker.socket.destroy()
  })
}
