/** From the configuration to a letter: copies of refused mail, rewritten senders, backup domains. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { replay } from '../../test/harness/replay.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import type { Store } from '../store/store.ts'
import { parseEndpoint } from './endpoint-text.ts'
import { parseConfig } from './load-config.ts'
import { createServer } from './server.ts'

async function start(t: TestContext, text: string) {
  const data = temporaryFolder(t)
  const { config } = parseConfig(
    `hostname = "mail.hamburger.edu"\n${text}\n[listen]\nsmtp = ["127.0.0.1:0"]`,
    '/x/posthorn.toml',
  )
  const server = await createServer(
    { ...config, data },
    {
      ...{ clock: systemClock, random: systemRandom, log: silentLog, authorities: [] },
      resolver: mapResolver({ '_dmarc.crepes.fr': { TXT: ['v=DMARC1; p=reject'] } }),
      dialler: () => Promise.reject(new Error('nobody is called in this test')),
    },
  )
  t.after(() => server.close(0))
  await server.store.addDomain('hamburger.edu')
  await server.store.addAccount('bob@hamburger.edu', null)
  await server.store.addAlias('away@hamburger.edu', ['dan@elsewhere.example'])
  return { server, data, smtp: parseEndpoint(server.line.smtp!) }
}

function letter(from: string, to: string, reply: string): string {
  return `
    S: 220 <…>
    C: EHLO client.example
    S: (…)
    C: MAIL FROM:<${from}>
    S: 250 <…>
    C: RCPT TO:<${to}>
    S: 250 <…>
    C: DATA
    S: 354 <…>
    C: From: ${from}
    C:
    C: .
    S: ${reply}
    C: QUIT
    S: 221 <…>`
}

async function names(store: Store): Promise<string[]> {
  const { accountId } = (await store.findAccount('bob@hamburger.edu'))!
  return (await store.listMailboxes(accountId)).filter(({ total }) => total > 0).map(({ name }) => name)
}

test('what the judge of senders refuses is in the mailbox that [rejects] names', async (t) => {
  const { server, smtp } = await start(t, '[rejects]\nmailbox = "Refused"')
  await replay(smtp, letter('alice@crepes.fr', 'bob@hamburger.edu', '550 5.7.1 <…>'))
  assert.deepEqual(await names(server.store), ['Refused'])
})

test('without [rejects] nothing is kept', async (t) => {
  const { server, smtp } = await start(t, '')
  await replay(smtp, letter('alice@crepes.fr', 'bob@hamburger.edu', '550 5.7.1 <…>'))
  assert.deepEqual(await names(server.store), [])
})

for (const [text, expected] of [
  ['', /^SRS0=.*=other\.example=ann@hamburger\.edu$/],
  ['[forwarding]\nsrs = false', /^ann@other\.example$/],
] as const) {
  test(`forwarded mail goes on as [forwarding] says: ${text === '' ? 'rewritten' : 'as it is'}`, async (t) => {
    const { server, data, smtp } = await start(t, text)
    assert.equal(readdirSync(data).includes('forwarding.key'), false)
    await replay(smtp, letter('ann@other.example', 'away@hamburger.edu', '250 <…>'))
    assert.match((await server.store.listQueue(1))[0]!.reversePath, expected)
    assert.equal(readdirSync(data).includes('forwarding.key'), text === '')
  })
}

test('who is listed in smtp.etrn may ask for the mail of a backup domain', async (t) => {
  const { server, smtp } = await start(t, '[smtp]\netrn = ["127.0.0.0/8"]')
  await server.store.backupDomains.add({ domain: 'crepes.example', primary: null })
  await replay(
    smtp,
    `
    S: 220 <…>
    C: EHLO client.example
    S: (…)
    C: ETRN crepes.example
    S: 251 2.0.0 <…>
    C: QUIT
    S: 221 <…>`,
  )
})
