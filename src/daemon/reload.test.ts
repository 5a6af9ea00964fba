/** A configuration read anew, at the doors of a server that goes on. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { replay, speakTo } from '../../test/harness/replay.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { systemClock } from '../base/clock.ts'
import type { Config, Endpoint } from '../base/config.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import { createDialler } from '../smtp/client/dialler.ts'
import { startMilter } from '../smtp/filter/milter/scripted-milter.ts'
import { startHttp } from '../smtp/filter/scripted-http.ts'
import { parseEndpoint } from './endpoint-text.ts'
import { parseConfig } from './load-config.ts'
import { createServer } from './server.ts'
import type { World } from './world.ts'

const world: World = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  resolver: mapResolver({ '_dmarc.crepes.example': { TXT: ['v=DMARC1; p=reject'] } }),
  dialler: createDialler({ localAddress: null, clock: systemClock }),
  authorities: [],
}

const anyPort: readonly Endpoint[] = [{ address: '127.0.0.1', port: 0 }]

async function start(t: TestContext, text = '') {
  const data = temporaryFolder(t)
  const read = (more: string): Config => {
    const { config } = parseConfig(`hostname = "mail.hamburger.edu"\n${more}`, '/x/posthorn.toml')
    return { ...config, data, listen: { smtp: anyPort } }
  }
  const server = await createServer(read(text), world)
  t.after(() => server.close(0))
  await server.store.addDomain('hamburger.edu')
  await server.store.addAccount('bob@hamburger.edu', null)
  const smtp = parseEndpoint(server.line.smtp!)
  return { server, smtp, reload: (more: string) => server.reload(read(more)) }
}

/** One message of alice@crepes.example; each reply as it is written here. */
async function send(smtp: Endpoint, replies: { rcpt?: string; end?: string } = {}): Promise<void> {
  const { rcpt = '250 2.1.5 <…>', end = '250 2.0.0 <…>' } = replies
  const rest = `C: DATA
    S: 354 <…>
    C: From: alice@crepes.example
    C:
    C: Hi Bob
    C: .
    S: ${end}
    `
  await replay(
    smtp,
    `
    S: 220 mail.hamburger.edu ESMTP
    C: HELO crepes.example
    S: 250 <…>
    C: MAIL FROM:<alice@crepes.example>
    S: 250 2.1.0 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: ${rcpt}
    ${rcpt.startsWith('250') ? rest : ''}`,
  )
}

const quiet = '[checks]\ndmarc = "off"\n'

test('guards: bans, greylisting, who is trusted; and back', async (t) => {
  const { server, smtp, reload } = await start(t, quiet)
  await send(smtp)
  const before = await speakTo(smtp)
  await before.expect('220 mail.hamburger.edu ESMTP')
  const banned = await reload(`${quiet}[guards]\nbanned = ["127.0.0.0/8"]\n`)
  assert.deepEqual(banned, { changed: ['guards'], needsRestart: [] })
  await replay(smtp, 'S: 421 4.7.0 <…>\nS: (closed)')
  // Who is in stays in.
  before.send('NOOP\r\n')
  await before.expect('250 2.0.0 <…>')
  before.socket.destroy()

  await reload(`${quiet}[guards]\ngreylist = true\n`)
  assert.equal(server.config.guards.greylist, true)
  await send(smtp, { rcpt: '450 4.7.1 Greylisted, <…>' })
  await reload(`${quiet}[guards]\ngreylist = true\ntrusted = ["127.0.0.1"]\n`)
  await send(smtp)
  // What the file bans does not hold for who is trusted.
  await reload(`${quiet}[guards]\nbanned = ["127.0.0.1"]\ntrusted = ["127.0.0.1"]\n`)
  await send(smtp)
  await reload(quiet)
  await send(smtp)
})

test('a ban that a person added outlives one of the same network in the file', async (t) => {
  const { server, smtp, reload } = await start(t)
  const app = await server.adminApp()
  const bans = async () => {
    const answer = (await (await app.request('/v1/bans')).json()) as { bans: { reason: string }[] }
    return answer.bans.map(({ reason }) => reason)
  }
  const body = JSON.stringify({ prefix: '127.0.0.0/8', reason: 'by hand' })
  assert.ok((await app.request('/v1/bans', { method: 'POST', body })).ok)
  assert.deepEqual(await bans(), ['by hand'])
  await reload('[guards]\nbanned = ["127.0.0.0/8"]\n')
  assert.deepEqual(await bans(), ['named in the configuration'])
  await reload('')
  assert.deepEqual(await bans(), ['by hand'])
  await replay(smtp, 'S: 421 4.7.0 <…>\nS: (closed)')
})

test('checks: what the domain of the author asks for is done, or not', async (t) => {
  const { smtp, reload } = await start(t, quiet)
  await send(smtp)
  assert.deepEqual((await reload('[checks]\ndmarc = "enforce"\n')).changed, ['checks'])
  await send(smtp, { end: '550 5.7.1 Refused by the DMARC policy of crepes.example <…>' })
  await reload('[checks]\ndmarc = "off"\nspf = "off"\ndkim = false\n')
  await send(smtp)
})

test('a milter comes and goes', async (t) => {
  const milter = await startMilter({ E: ['r'] })
  t.after(() => milter.close())
  const { smtp, reload } = await start(t, quiet)
  await send(smtp)
  const { changed } = await reload(`${quiet}[[milter]]\nsocket = "inet:${milter.port}@127.0.0.1"\n`)
  assert.deepEqual(changed, ['filters'])
  await send(smtp, { end: '550 <…>' })
  await reload(quiet)
  await send(smtp)
  assert.equal(milter.connections, 1)
})

test('a session keeps the hook it began with, also after the file has dropped it', async (t) => {
  const hook = await startHttp('{"action":"reject"}')
  t.after(() => hook.close())
  const { smtp, reload } = await start(t, `${quiet}[[hook]]\nurl = "http://127.0.0.1:${hook.port}/"\n`)
  const old = await speakTo(smtp)
  await old.expect('220 mail.hamburger.edu ESMTP')
  await reload(quiet)
  await send(smtp)
  assert.equal(hook.heard.length, 0)
  old.send('HELO crepes.example\r\nMAIL FROM:<alice@crepes.example>\r\nRCPT TO:<bob@hamburger.edu>\r\n')
  for (const reply of ['250 <…>', '250 <…>', '250 <…>']) await old.expect(reply)
  old.send('DATA\r\n')
  await old.expect('354 <…>')
  old.send('From: alice@crepes.example\r\n\r\nHi\r\n.\r\n')
  await old.expect('550 <…>')
  assert.ok(hook.heard.length > 0)
  old.socket.destroy()
})

test('smtp, queue, reports and journey are in force; process waits for a restart', async (t) => {
  const { server, smtp, reload } = await start(t, quiet)
  const { changed, needsRestart } = await reload(
    `${quiet}[smtp]\nexpn = true\n[queue]\nlife = "1d"\nconnections = 3\n[reports]\ndmarc = false\n` +
      '[journey]\nlevel = "off"\n[process]\nuser = "root"\n',
  )
  assert.deepEqual(changed.toSorted(), ['journey', 'limits.queue_life_ms', 'queue', 'reports', 'smtp'])
  assert.deepEqual(needsRestart, ['process'])
  await send(smtp)
  const app = await server.adminApp()
  const { journeys } = (await (await app.request('/v1/journeys')).json()) as { journeys: unknown[] }
  assert.deepEqual(journeys, [])
})
