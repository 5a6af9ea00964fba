import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer as createNetServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { freePort } from '../../test/harness/ports.ts'
import { speakTo } from '../../test/harness/replay.ts'
import { systemClock } from '../base/clock.ts'
import type { Config, Endpoint } from '../base/config.ts'
import { type Log, silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import { StoreInUse } from '../store/errors.ts'
import { parseEndpoint } from './endpoint-text.ts'
import { parseConfig } from './load-config.ts'
import { createServer } from './server.ts'
import { StartError } from './start-error.ts'
import type { World } from './world.ts'

const anyPort: readonly Endpoint[] = [{ address: '127.0.0.1', port: 0 }]

function configFor(data: string, more: Partial<Config> = {}): Config {
  const { config } = parseConfig(
    'hostname = "mail.hamburger.edu"\nauth.plaintext = "loopback"',
    '/x/posthorn.toml',
  )
  return { ...config, data, listen: { smtp: anyPort, imap: anyPort, pop3: anyPort }, ...more }
}

const world: World = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  resolver: mapResolver({}),
  dialler: () => Promise.reject(new Error('nobody is called in this test')),
  authorities: [],
}

async function start(t: TestContext, config: Config) {
  const server = await createServer(config, world)
  t.after(() => server.close(0))
  return server
}

test('a server opens the doors it was told to, and closes them', async (t) => {
  const server = await start(t, configFor(temporaryFolder(t)))
  assert.equal(server.line.hostname, 'mail.hamburger.edu')
  assert.deepEqual(Object.keys(server.line), ['domain', 'hostname', 'smtp', 'pop3', 'imap'])
  const smtp = parseEndpoint(server.line.smtp!)
  const speaker = await speakTo(smtp)
  await speaker.expect('220 mail.hamburger.edu ESMTP')
  const closed = server.close(2_000)
  await speaker.expect('421 <…>')
  await closed
  const [error] = await once(connect(smtp.port, smtp.address), 'error')
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('two servers live in one process, and two cannot share a data folder', async (t) => {
  const folder = temporaryFolder(t)
  const first = await start(t, configFor(join(folder, 'one')))
  const second = await start(t, configFor(join(folder, 'two')))
  assert.notEqual(first.line.smtp, second.line.smtp)
  await assert.rejects(createServer(configFor(join(folder, 'one')), world), StoreInUse)
})

test('when one door cannot be made, those that were open already are closed again', async (t) => {
  const port = await freePort()
  const log: Log = {
    ...silentLog,
    with(facts) {
      if (facts['door'] === 'imap') throw new Error('a room that cannot be loaded')
      return log
    },
  }
  const smtp = [{ address: '127.0.0.1', port }]
  const config = configFor(temporaryFolder(t), { listen: { smtp, imap: anyPort } })
  await assert.rejects(createServer(config, { ...world, log }), /a room that cannot be loaded/)
  const [error] = await once(connect(port, '127.0.0.1'), 'error')
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('a log-in without a domain belongs to the first domain, also one that is added later', async (t) => {
  const server = await start(t, configFor(temporaryFolder(t)))
  assert.equal(server.defaultDomain, 'hamburger.edu')
  const app = await server.adminApp()
  const add = (path: string, body: object) =>
    app.request(path, { method: 'POST', body: JSON.stringify(body) })
  assert.equal((await add('/v1/domains', { domain: 'burger.example' })).status, 201)
  assert.equal(server.line.domain, 'burger.example')
  assert.equal((await add('/v1/accounts', { address: 'bob@burger.example', password: 'hungry' })).status, 201)
  const speaker = await speakTo(parseEndpoint(server.line.pop3!))
  await speaker.expect('+OK POP3 server ready')
  speaker.send('user bob\r\npass hungry\r\n')
  await speaker.expect('+OK')
  await speaker.expect('+OK user successfully logged on')
  speaker.socket.destroy()
  const status = (await (await app.request('/v1/status')).json()) as { doors: Record<string, string> }
  assert.equal(status.doors['pop3'], server.line.pop3)
})

test('a port that is in use is named with the door and what to do, and nothing stays open', async (t) => {
  const other = createNetServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo
  const folder = temporaryFolder(t)
  const config = configFor(folder, { listen: { smtp: anyPort, imap: [{ address: '127.0.0.1', port }] } })
  await assert.rejects(createServer(config, world), (error: unknown) => {
    assert.ok(error instanceof StartError)
    assert.equal(error.message, `Cannot open listen.imap on 127.0.0.1:${port}: the port is in use already`)
    assert.match(error.remedy, /ss -ltnp/)
    return true
  })
  // The folder was given back.
  await start(t, configFor(folder))
})

test('an address that is not ours is named', async (t) => {
  const config = configFor(temporaryFolder(t), { listen: { smtp: [{ address: '192.0.2.7', port: 2525 }] } })
  await assert.rejects(
    createServer(config, world),
    /listen\.smtp on 192\.0\.2\.7:2525: this machine has no such address/,
  )
})

test('the certificate is kept, and a missing file is named', async (t) => {
  const folder = temporaryFolder(t)
  const server = await start(t, configFor(folder))
  assert.ok(existsSync(join(folder, 'self-made.pem')))
  await server.reload()
  const none = join(folder, 'none.pem')
  const tls = { certificates: [{ certificate: none, key: none }], clientCa: null }
  await assert.rejects(createServer(configFor(join(folder, 'b'), { tls }), world), /Cannot read .*none\.pem/)
})
