/** The guards of a whole server: at its doors, over a restart, and as the admin API shows them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { replay, speakTo } from '../../test/harness/replay.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { hashPassword } from '../auth/password-hash.ts'
import { systemClock } from '../base/clock.ts'
import type { Config, Endpoint } from '../base/config.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import type { Journey } from '../journey/event.ts'
import { parseEndpoint } from './endpoint-text.ts'
import { parseConfig } from './load-config.ts'
import { createServer, type PosthornServer } from './server.ts'
import type { World } from './world.ts'

const world: World = {
  // What is counted is written every five seconds; here at once.
  clock: { ...systemClock, after: (ms, then) => systemClock.after(ms === 5_000 ? 1 : ms, then) },
  random: systemRandom,
  log: silentLog,
  resolver: mapResolver({}),
  dialler: () => Promise.reject(new Error('nobody is called in this test')),
  authorities: [],
}

const anyPort: readonly Endpoint[] = [{ address: '127.0.0.1', port: 0 }]

async function start(t: TestContext, data: string, text = '') {
  const { config } = parseConfig(
    `hostname = "mail.hamburger.edu"\nauth.plaintext = "loopback"\n${text}`,
    '/x/posthorn.toml',
  )
  const whole: Config = { ...config, data, listen: { smtp: anyPort, submission: anyPort, pop3: anyPort } }
  const server = await createServer(whole, world)
  t.after(() => server.close(0))
  const app = await server.adminApp()
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    return (await (await app.request(path, init)).json()) as T
  }
  return { server, call, smtp: parseEndpoint(server.line.smtp!) }
}

type Call = Awaited<ReturnType<typeof start>>['call']

async function addBob({ store }: PosthornServer, password: string | null = null): Promise<void> {
  await store.addDomain('hamburger.edu')
  const hash = password === null ? null : await hashPassword(password, systemRandom)
  await store.addAccount('bob@hamburger.edu', hash)
}

async function refused(call: Call, query: string): Promise<Journey[]> {
  const { journeys } = await call<{ journeys: Journey[] }>('GET', `/v1/journeys?refused=1&${query}`)
  return journeys
}

/** Asks until it is there: what is counted is written a moment later. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('every refusal is found by sender, recipient and address, with its step and its answer', async (t) => {
  const { server, call, smtp } = await start(t, temporaryFolder(t))
  await addBob(server)
  await replay(
    smtp,
    `
    S: 220 mail.hamburger.edu ESMTP
    C: HELO crepes.fr
    S: 250 mail.hamburger.edu
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<nobody@hamburger.edu>
    S: 550 5.1.1 <…>
    C: RSET
    S: 250 <…>
    C: QUIT
    S: 221 <…>
    S: (closed)
  `,
  )
  await replay(
    smtp,
    `
    S: 220 mail.hamburger.edu ESMTP
    C: HELO crepes.fr
    S: 250 mail.hamburger.edu
    C: MAIL FROM:<carl@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: RCPT TO:<nemo@hamburger.edu>
    S: 550 5.1.1 <…>
    C: DATA
    S: 354 <…>
    C: Subject: One
    C:
    C: .
    S: 250 <…>
    C: MAIL FROM:<>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 2.1.5 Recipient ok
    C: DATA
    S: 354 <…>
    C: Delivered-To: bob@hamburger.edu
    C:
    C: .
    S: 554 5.4.6 <…>
    C: QUIT
    S: 221 <…>
    S: (closed)
  `,
  )
  const [first] = await until(async () => {
    const found = await refused(call, 'rcpt=Nobody@hamburger.edu')
    return found.length > 0 ? found : undefined
  })
  assert.equal(first?.facts.state, 'refused')
  assert.equal(first?.facts.reversePath, 'alice@crepes.fr')
  assert.equal(first?.facts.remoteAddress, '127.0.0.1')
  const events = first!.events.filter(({ kind }) => kind === 'refuse')
  assert.deepEqual(
    events.map(({ branch, data }) => [branch, data['stage'], data['text'], data['reversePath']]),
    [['nobody@hamburger.edu', 'rcpt', '550 5.1.1 No such user here', 'alice@crepes.fr']],
  )
  assert.deepEqual(
    (await refused(call, 'from=alice@crepes.fr')).map(({ journeyId }) => journeyId),
    [first!.journeyId],
  )

  const [taken] = await refused(call, 'rcpt=nemo@hamburger.edu')
  assert.equal(taken?.facts.state, 'delivered')
  assert.deepEqual(taken?.facts.recipients, ['bob@hamburger.edu'])

  const [looping] = await refused(call, 'ip=127.0.0.1&limit=1')
  assert.equal(looping?.facts.state, 'refused')
  assert.match(String(looping?.events.find(({ kind }) => kind === 'refuse')?.data['text']), /^554 5\.4\.6/)
  assert.equal((await refused(call, 'ip=127.0.0.1')).length, 3)
  assert.equal((await refused(call, 'ip=192.0.2.1')).length, 0)
})

test('a ban cuts connections at every door, is counted in one row, survives a restart and can be lifted', async (t) => {
  const folder = temporaryFolder(t)
  const first = await start(t, folder)
  const ban = { prefix: '127.0.0.0/8', reason: 'a test', forMs: 3_600_000 }
  assert.equal((await first.call<{ prefix: string }>('POST', '/v1/bans', ban)).prefix, '127.0.0.0/8')
  for (let i = 0; i < 5; i++) {
    const speaker = await speakTo(first.smtp)
    await speaker.expect('421 4.7.0 mail.hamburger.edu Connections from your address are refused for a while')
    await speaker.expectClosed()
  }
  const pop3 = await speakTo(parseEndpoint(first.server.line.pop3!))
  await pop3.expect('-ERR <…>')
  const row = await until(async () =>
    (await refused(first.call, 'ip=127.0.0.1')).find((one) => one.facts.count === 6),
  )
  assert.equal((await refused(first.call, 'ip=127.0.0.1')).length, 1)
  assert.equal(row.events[0]?.data['text'], 'banned: a test')
  await first.server.close(0)

  const second = await start(t, folder)
  const { bans } = await second.call<{ bans: { prefix: string; reason: string }[] }>('GET', '/v1/bans')
  assert.deepEqual(
    bans.map(({ prefix, reason }) => [prefix, reason]),
    [['127.0.0.0/8', 'a test']],
  )
  const refusedOne = await speakTo(second.smtp)
  await refusedOne.expect('421 <…>')
  assert.deepEqual(await second.call('DELETE', '/v1/bans/127.0.0.0%2F8'), { prefix: '127.0.0.0/8' })
  const letIn = await speakTo(second.smtp)
  await letIn.expect('220 <…>')
  letIn.close()
  const again = await second.call<{ error: { code: string } }>('DELETE', '/v1/bans/127.0.0.0%2F8')
  assert.equal(again.error.code, 'ban-unknown')
  const wrong = await second.call<{ error: { code: string } }>('POST', '/v1/bans', { prefix: 'crepes.fr' })
  assert.equal(wrong.error.code, 'bad-address')
})

test('whoever asks for many who are not here is slowed down, sent away and banned', async (t) => {
  const limits =
    '[limits]\nunknown_recipients = 2\ntarpit_step_ms = 1\ntarpit_max_ms = 3\nban_unknown_recipients = 5\n'
  const { server, smtp, call } = await start(t, temporaryFolder(t), limits)
  await addBob(server)
  await replay(
    smtp,
    `
    S: 220 mail.hamburger.edu ESMTP
    C: HELO crepes.fr
    S: 250 mail.hamburger.edu
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 2.1.0 Originator ok
    C: RCPT TO:<a@hamburger.edu>
    S: 550 5.1.1 <…>
    C: RCPT TO:<b@hamburger.edu>
    S: 550 5.1.1 <…>
    C: RCPT TO:<c@hamburger.edu>
    S: 550 5.1.1 <…>
    C: RCPT TO:<d@hamburger.edu>
    S: 550 5.1.1 <…>
    C: RCPT TO:<e@hamburger.edu>
    S: 421 4.7.0 Too many unknown recipients, closing connection
    S: (closed)
  `,
  )
  const { bans } = await call<{ bans: { prefix: string }[] }>('GET', '/v1/bans?ip=127.0.0.1')
  assert.deepEqual(
    bans.map(({ prefix }) => prefix),
    ['127.0.0.1'],
  )
})

test('what an account may send is shown, changed and stopped', async (t) => {
  const { server, call } = await start(t, temporaryFolder(t))
  await addBob(server)
  interface Sending {
    stopped: boolean
    own: string[]
    limits: { messagesPerHour: number }
  }
  const path = '/v1/sending/bob@hamburger.edu'
  assert.equal((await call<Sending>('GET', path)).limits.messagesPerHour, 500)
  const changed = await call<Sending>('PUT', path, { messagesPerHour: 7, stopped: true })
  assert.deepEqual(
    [changed.stopped, changed.own, changed.limits.messagesPerHour],
    [true, ['messagesPerHour'], 7],
  )
  const back = await call<Sending>('DELETE', path)
  assert.deepEqual([back.stopped, back.own, back.limits.messagesPerHour], [false, [], 500])
  const unknown = await call<{ error: { code: string } }>('GET', '/v1/sending/nobody@hamburger.edu')
  assert.equal(unknown.error.code, 'account-unknown')
})

test('who has logged in counts for the account, at all doors together, and not for the address', async (t) => {
  const bounds = '[limits]\nconnections_per_address = 1\nconnections_per_account = 2\n'
  const { server } = await start(t, temporaryFolder(t), bounds)
  await addBob(server, 'hungry')
  const at = (door: 'pop3' | 'submission' | 'smtp') => speakTo(parseEndpoint(server.line[door]!))
  const logIn = async (answer: string) => {
    const speaker = await at('submission')
    await speaker.expect('220 <…>')
    speaker.send('HELO crepes.fr\r\nAUTH PLAIN AGJvYgBodW5ncnk=\r\n')
    await speaker.expect('250 <…>')
    await speaker.expect(answer)
    return speaker
  }
  const pop3 = await at('pop3')
  pop3.send('USER bob\r\nPASS hungry\r\n')
  for (const line of ['+OK <…>', '+OK', '+OK <…>']) await pop3.expect(line)
  const second = await logIn('235 <…>')
  const third = await logIn('421 4.7.0 Too many connections of this account')
  await third.expectClosed()

  pop3.send('QUIT\r\n')
  await pop3.expect('+OK <…>')
  await pop3.expectClosed()
  const stranger = await until(async () => {
    const speaker = await at('smtp')
    return (await speaker.line()).startsWith('220') ? speaker : undefined
  })
  const another = await at('smtp')
  await another.expect('421 mail.hamburger.edu Too many connections, try again later')
  for (const speaker of [second, stranger]) speaker.close()
})
