import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { parseEndpoint } from '../daemon/endpoint-text.ts'
import { createResolver } from '../dns/stub-resolver.ts'
import { DnsFailure } from '../dns/resolver.ts'
import { loopbackDialler } from '../smtp/client/dialler.ts'
import { findRunningLab } from './running-lab.ts'
import { type Lab, type LabOptions, startLab } from './start-lab.ts'

const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }

async function openLab(t: TestContext, options: Partial<LabOptions> = {}): Promise<Lab> {
  process.env['XDG_RUNTIME_DIR'] ??= temporaryFolder(t)
  const lab = await startLab({
    ...{ surroundings, scene: 'today', folder: null, basePort: 0, reset: false, stop() {} },
    ...options,
  })
  t.after(() => lab.close(0))
  return lab
}

test('the Lab opens every door of two servers, and leaves nothing behind', async (t) => {
  process.env['XDG_RUNTIME_DIR'] = temporaryFolder(t)
  const lab = await openLab(t)
  assert.deepEqual(
    lab.line.servers.map(({ domain, hostname }) => [domain, hostname]),
    [
      ['crepes.fr', 'mail.crepes.fr'],
      ['hamburger.edu', 'mail.hamburger.edu'],
    ],
  )
  for (const server of lab.line.servers) assert.equal(Object.keys(server).length, 2 + 7)
  assert.deepEqual(
    lab.line.accounts?.map(({ address }) => address),
    ['alice@crepes.fr', 'bob@hamburger.edu'],
  )
  assert.deepEqual(await findRunningLab(), lab.line)
  await lab.close(0)
  assert.equal(existsSync(lab.folder), false)
  assert.equal(await findRunningLab(), null)
})

test('two Labs run on one machine: the second takes free ports and says so', async (t) => {
  process.env['XDG_RUNTIME_DIR'] = temporaryFolder(t)
  const base = 42_000 + (process.pid % 1_000) * 16
  const first = await openLab(t, { basePort: base })
  const second = await openLab(t, { basePort: base })
  assert.equal(second.taken.length, 15)
  assert.notEqual(first.line.servers[0]?.smtp, second.line.servers[0]?.smtp)
  assert.deepEqual(await findRunningLab(), second.line)
  // Each takes back only what it has announced itself.
  await first.close(0)
  assert.deepEqual(await findRunningLab(), second.line)
})

test('the Lab’s name server knows its two domains and refuses every other name', async (t) => {
  const lab = await openLab(t)
  const servers = [parseEndpoint(lab.line.dns!)]
  const resolver = createResolver({ servers, validating: false, ...surroundings })
  t.after(() => resolver.close())
  assert.deepEqual((await resolver.query('hamburger.edu', 'MX')).records, [
    { preference: 10, exchange: 'mail.hamburger.edu' },
  ])
  assert.deepEqual((await resolver.query('mail.crepes.fr', 'A')).records, ['127.0.0.1'])
  await assert.rejects(resolver.query('example.org', 'MX'), (error: unknown) => {
    assert.ok(error instanceof DnsFailure)
    assert.equal(error.reason, 'refused')
    return true
  })
})

test('the Lab’s dialler reaches loopback and nothing else', async () => {
  const dialler = loopbackDialler(new Map(), systemClock)
  for (const address of ['192.0.2.1', '2001:db8::1', '10.0.0.1', '0.0.0.0']) {
    await assert.rejects(dialler({ hostname: 'hamburger.edu', address, port: 2525 }, 100), /loopback only/)
  }
})

test('both certificates are good for who trusts the Lab’s authority', async (t) => {
  const lab = await openLab(t)
  for (const { imaps, hostname } of lab.line.servers) {
    const { address, port } = parseEndpoint(imaps!)
    const socket = connectTls({ host: address, port, servername: hostname, ca: readFileSync(lab.line.ca!) })
    await once(socket, 'secureConnect')
    assert.equal(socket.authorized, true)
    socket.destroy()
  }
})

test('with a folder the mail and the authority are kept, and Bob’s letters come back only when asked for', async (t) => {
  const folder = join(temporaryFolder(t), 'kept')
  const first = await openLab(t, { folder })
  const bobs = async (lab: Lab) => {
    const { store } = lab.servers[1]
    const bob = await store.findAccount('bob@hamburger.edu')
    return (await store.findMailbox(bob!.accountId, 'INBOX'))!.total
  }
  assert.equal(await bobs(first), 2)
  const ca = readFileSync(first.line.ca!, 'latin1')
  const { store } = first.servers[1]
  const bob = await store.findAccount('bob@hamburger.edu')
  const inbox = await store.findMailbox(bob!.accountId, 'INBOX')
  await store.expunge(bob!.accountId, inbox!.mailboxId, [1])
  await first.close(0)
  assert.ok(existsSync(folder))
  const second = await openLab(t, { folder })
  assert.equal(readFileSync(second.line.ca!, 'latin1'), ca)
  assert.equal(await bobs(second), 1)
  await second.close(0)
  assert.equal(await bobs(await openLab(t, { folder, reset: true })), 2)
})
