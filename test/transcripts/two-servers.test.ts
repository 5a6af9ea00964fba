/** What one server asks of the next, shown between two of them: DSN, REQUIRETLS, and signatures that the other verifies. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { systemClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { parseEndpoint } from '../../src/daemon/endpoint-text.ts'
import { parseConfig } from '../../src/daemon/load-config.ts'
import { createServer, type PosthornServer } from '../../src/daemon/server.ts'
import { mapResolver } from '../../src/dns/map-resolver.ts'
import { verifyMessage } from '../../src/mailauth/verify-fixture.ts'
import { loopbackDialler } from '../../src/smtp/client/dialler.ts'
import { issueCertificate, makeAuthority, makeSelfSigned } from '../../src/tls/certificate.ts'
import { until } from '../harness/foreign.ts'
import { replay } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const authority = makeAuthority('Two servers', making)

interface Two {
  readonly crepes: PosthornServer
  readonly hamburger: PosthornServer
  /** Texts in an account's INBOX, when there are so many. */
  inbox(server: PosthornServer, address: string, count: number): Promise<string[]>
  /** What alice hands in; her envelope with `more` behind her address and `rcpt` as RCPT commands. */
  handIn(more: string, rcpt: readonly string[], body?: readonly string[]): Promise<void>
}

/** @param hamburgerTrusted False: its certificate is nobody's. */
async function startTwo(t: TestContext, hamburgerTrusted = true): Promise<Two> {
  const resolver = mapResolver({})
  const ports = new Map<string, Endpoint>()
  const start = async (domain: string, user: string, trusted: boolean): Promise<PosthornServer> => {
    const { config } = parseConfig(
      `hostname = "mail.${domain}"
       guards.trusted = ["127.0.0.1"]
       queue.retry = ["1s"]
       [listen]
       smtp = ["127.0.0.1:0"]
       submissions = ["127.0.0.1:0"]`,
      '/x/posthorn.toml',
    )
    const names = { hostnames: [`mail.${domain}`] }
    const server = await createServer(
      { ...config, data: temporaryFolder(t) },
      {
        ...{ clock: systemClock, random: systemRandom, log: silentLog, resolver },
        dialler: loopbackDialler(ports, systemClock),
        authorities: [authority.certificate],
        certificate: trusted ? issueCertificate(authority, names, making) : makeSelfSigned(names, making),
      },
    )
    t.after(() => server.close(0))
    const app = await server.adminApp()
    const post = async (path: string, body: object) =>
      assert.ok((await app.request(path, { method: 'POST', body: JSON.stringify(body) })).ok, path)
    await post('/v1/domains', { domain })
    await post('/v1/accounts', { address: `${user}@${domain}`, password: 'secret' })
    resolver.set(domain, { MX: [{ preference: 10, exchange: `mail.${domain}` }] })
    resolver.set(`mail.${domain}`, { A: ['127.0.0.1'] })
    ports.set(`mail.${domain}:25`, parseEndpoint(server.line.smtp!))
    return server
  }
  const crepes = await start('crepes.example', 'alice', true)
  const hamburger = await start('hamburger.example', 'bob', hamburgerTrusted)
  return {
    ...{ crepes, hamburger, inbox },
    async handIn(more, rcpt, body = ['Do you like ketchup?']) {
      const { address: host, port } = parseEndpoint(crepes.line.submissions!)
      const socket = connect({ host, port, rejectUnauthorized: false })
      await new Promise((resolve) => socket.once('secureConnect', resolve))
      const login = Buffer.from('\0alice@crepes.example\0secret').toString('base64')
      await replay(
        socket,
        `
        S: (…)
        C: EHLO [127.0.0.1]
        S: (…)
        C: AUTH PLAIN ${login}
        S: 235 <…>
        C: MAIL FROM:<alice@crepes.example>${more}
        S: 250 <…>
        ${rcpt.map((each) => `C: RCPT TO:${each}\nS: 250 <…>`).join('\n')}
        C: DATA
        S: 354 <…>
        C: From: alice@crepes.example
        C: To: bob@hamburger.example
        C: Subject: Ketchup?
        C:
        ${body.map((line) => `C: ${line}`).join('\n')}
        C: .
        S: 250 <…>
        C: QUIT
        S: 221 <…>
      `,
      )
    },
  }
}

async function inbox(server: PosthornServer, address: string, count: number): Promise<string[]> {
  const { store } = server
  const { accountId } = (await store.findAccount(address))!
  const mailbox = (await store.findMailbox(accountId, 'INBOX'))!
  const index = await store.loadIndex(accountId, mailbox.mailboxId)
  try {
    const giveUpAt = performance.now() + 15_000
    while (index.length < count) {
      assert.ok(performance.now() < giveUpAt, `${index.length} of ${count} letters have come to ${address}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const emails = await store.getEmails(accountId, [...index.emailIds.subarray(0, index.length)])
    return await Promise.all(
      emails.map(async (email) => {
        const body = await store.readBody(email!.body, 0, email!.body.octets)
        return email!.prefix + Buffer.from(body).toString('latin1')
      }),
    )
  } finally {
    index.release()
  }
}

test('NOTIFY=SUCCESS is answered by the server that delivers, with what the sender gave it', async (t) => {
  const { crepes, hamburger, inbox, handIn } = await startTwo(t)
  await handIn(' RET=HDRS ENVID=QQ+2B1', [
    '<bob@hamburger.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@Hamburger.example',
  ])
  const [letter] = await inbox(hamburger, 'bob@hamburger.example', 1)
  assert.match(letter!, /Do you like ketchup\?/)
  const [report] = await inbox(crepes, 'alice@crepes.example', 1)
  assert.match(report!, /^Return-Path: <>\r\n/)
  assert.match(report!, /^Auto-Submitted: auto-replied\r$/m)
  for (const line of [
    'Reporting-MTA: dns; mail.hamburger.example',
    'Original-Envelope-Id: QQ+1',
    'Original-Recipient: rfc822; Bob@Hamburger.example',
    'Final-Recipient: rfc822; bob@hamburger.example',
    'Action: delivered',
    'Status: 2.0.0',
  ]) {
    assert.ok(report!.includes(`\r\n${line}\r\n`), line)
  }
  assert.ok(!report!.includes('Do you like ketchup?'))
})

test('NOTIFY=NEVER hears of nothing, and RET=FULL brings a letter back that failed', async (t) => {
  const { crepes, inbox, handIn } = await startTwo(t)
  await handIn(' RET=FULL', ['<nobody@hamburger.example> NOTIFY=NEVER'])
  await handIn(' RET=FULL', ['<nobody@hamburger.example>'])
  const [report, ...more] = await inbox(crepes, 'alice@crepes.example', 1)
  assert.deepEqual(more, [])
  assert.match(report!, /^Action: failed\r$/m)
  assert.match(report!, /^Remote-MTA: dns; mail\.hamburger\.example\r$/m)
  assert.match(report!, /^Status: 5\.1\.1\r$/m)
  assert.match(report!, /Content-Type: message\/rfc822[\s\S]*Do you like ketchup\?/)
})

test('REQUIRETLS goes on to a server that is who it says, and that passes it on', async (t) => {
  const { hamburger, crepes, inbox, handIn } = await startTwo(t)
  await handIn(' REQUIRETLS', ['<bob@hamburger.example>'])
  await inbox(hamburger, 'bob@hamburger.example', 1)
  // The other server has the letter before ours has written down how it went.
  const text = await until('the attempt in the journey', async () => {
    const found = JSON.stringify(await crepes.journeys.find({ limit: 10 }))
    return found.includes('"attempt.end"') && found
  })
  assert.match(text, /MAIL FROM:<alice@crepes\.example>[^"]* REQUIRETLS/)
  assert.match(text, /"trusted":true/)
})

test('REQUIRETLS is returned where the certificate is not good, and nothing of it is said there', async (t) => {
  const { crepes, hamburger, inbox, handIn } = await startTwo(t, false)
  await handIn(' REQUIRETLS RET=FULL', ['<bob@hamburger.example>'])
  const [report] = await inbox(crepes, 'alice@crepes.example', 1)
  assert.match(report!, /^Status: 5\.7\.10\r$/m)
  assert.ok(!report!.includes('Do you like ketchup?'), 'RFC 8689 §5: as if RET=HDRS')
  assert.equal((await inbox(hamburger, 'bob@hamburger.example', 0)).length, 0)
  await handIn('', ['<bob@hamburger.example>'])
  assert.equal((await inbox(hamburger, 'bob@hamburger.example', 1)).length, 1, 'others go there all the same')
})

test('what is handed in is signed with both keys, as the other server can verify', async (t) => {
  const { crepes, hamburger, inbox, handIn } = await startTwo(t)
  const app = await crepes.adminApp()
  const answer = await app.request('/v1/domains/crepes.example/keys')
  const { keys } = (await answer.json()) as { keys: { record: { name: string; value: string } }[] }
  const txt = Object.fromEntries(keys.map(({ record }) => [record.name, record.value]))
  await handIn('', ['<bob@hamburger.example>'], ['Signed.', '', ''])
  const [letter] = await inbox(hamburger, 'bob@hamburger.example', 1)
  const { dkim } = await verifyMessage(letter!, txt, { now: Date.now() })
  const year = new Date().getUTCFullYear()
  assert.deepEqual(dkim.map(({ domain, selector, result }) => `${domain} ${selector} ${result}`).sort(), [
    `crepes.example ${year}a-ed pass`,
    `crepes.example ${year}a-rsa pass`,
  ])
})

test('a report to somebody elsewhere is signed too', async (t) => {
  const { crepes, hamburger, inbox, handIn } = await startTwo(t)
  const app = await hamburger.adminApp()
  const answer = await app.request('/v1/domains/hamburger.example/keys')
  const { keys } = (await answer.json()) as { keys: { record: { name: string; value: string } }[] }
  const txt = Object.fromEntries(keys.map(({ record }) => [record.name, record.value]))
  await handIn('', ['<bob@hamburger.example> NOTIFY=SUCCESS'])
  const [report] = await inbox(crepes, 'alice@crepes.example', 1)
  const { dkim, authorDomain } = await verifyMessage(report!, txt, { now: Date.now() })
  // postmaster@ the host, signed for by the domain above it.
  assert.equal(authorDomain, 'mail.hamburger.example')
  assert.deepEqual(
    dkim.map(({ domain, result }) => `${domain} ${result}`),
    ['hamburger.example pass', 'hamburger.example pass'],
  )
})

test('what an alias leads elsewhere bounces to who forwarded it, and from there to its sender', async (t) => {
  const { crepes, hamburger, inbox, handIn } = await startTwo(t)
  await hamburger.store.addAlias('away@hamburger.example', ['nobody@crepes.example', 'alice@crepes.example'])
  await handIn('', ['<away@hamburger.example>'])
  const letters = await inbox(crepes, 'alice@crepes.example', 2)
  const rewritten = /^Return-Path: <SRS0=[^>]*=crepes\.example=alice@hamburger\.example>/
  const [copy, report] = letters[0]!.startsWith('Return-Path: <>') ? letters.toReversed() : letters
  assert.match(copy!, rewritten)
  assert.match(report!, /^Return-Path: <>\r\n/)
  assert.match(report!, /^Reporting-MTA: dns; mail\.hamburger\.example\r$/m)
  assert.match(report!, /^Final-Recipient: rfc822; nobody@crepes\.example\r$/m)
})
