import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type RemoteScript, startRemote } from './fake-remote.ts'
import type { QueueOptions } from './options.ts'
import { isEmpty, oneHost, openFixture, until } from './queue-fixture.ts'
import type { TlsSession } from './tls-session.ts'

/** What is told of the sessions that one letter needs. */
async function sessionsWith(t: TestContext, script: RemoteScript, more: Partial<QueueOptions> = {}) {
  const remote = await startRemote(script)
  const fixture = await openFixture(oneHost)
  t.after(() => Promise.all([fixture.close(), remote.close()]))
  fixture.hosts.set('192.0.2.1', remote.port).set('127.0.0.1', remote.port)
  const sessions: TlsSession[] = []
  fixture.queue({ tlsSession: (session) => sessions.push(session), ...more })
  await fixture.send({ reversePath: 'alice@crepes.fr' })
  await until('the queue is empty', () => isEmpty(fixture))
  assert.equal(remote.letters.length, 1)
  return sessions
}

test('a host without STARTTLS is told of, with both ends', async (t) => {
  const [session, ...more] = await sessionsWith(t, {})
  assert.deepEqual(more, [])
  const { mxHost, ...facts } = session!
  assert.match(mxHost, /hamburger\.edu$/)
  assert.deepEqual(facts, {
    ...{ domain: 'hamburger.edu', reversePath: 'alice@crepes.fr', receivingAddress: '192.0.2.1' },
    ...{ sendingAddress: '127.0.0.1', failure: 'starttls-not-supported', reason: null },
  })
})

test('a handshake that fails is told of once, though the letter goes on in the clear', async (t) => {
  const script = { extensions: ['STARTTLS'], starttls: () => '220 2.0.0 Ready' }
  const sessions = await sessionsWith(t, script)
  assert.deepEqual(
    sessions.map(({ failure, sendingAddress }) => [failure, sendingAddress]),
    [['validation-failure', null]],
  )
  assert.match(sessions[0]!.reason!, /^TLS handshake failed: /)
})

test('a route is nobody’s published host, and is not told of', async (t) => {
  const routes = new Map([['hamburger.edu', { address: '127.0.0.1', port: 25 }]])
  assert.deepEqual(await sessionsWith(t, {}, { routes }), [])
})
