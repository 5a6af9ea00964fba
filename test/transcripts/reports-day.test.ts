/**
 * Two servers, a day and a night: each is told by the other, after midnight, what it saw of it.
 *
 * crepes.fr publishes p=reject and wants DMARC reports; hamburger.edu wants TLS reports, and DMARC reports too.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { FakeClock, systemClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom, systemRandom } from '../../src/base/random.ts'
import { parseEndpoint } from '../../src/daemon/endpoint-text.ts'
import { parseConfig } from '../../src/daemon/load-config.ts'
import { createServer, type PosthornServer } from '../../src/daemon/server.ts'
import { mapResolver } from '../../src/dns/map-resolver.ts'
import type { ReceivedReport, ReportSummary } from '../../src/reports/received/received-reports.ts'
import type { ReportOutcome } from '../../src/reports/sending/world.ts'
import { loopbackDialler } from '../../src/smtp/client/dialler.ts'
import { issueCertificate, makeAuthority } from '../../src/tls/certificate.ts'
import { replay } from '../harness/replay.ts'
import { temporaryFolder } from '../harness/temp.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const authority = makeAuthority('Two servers', making)
const hourMs = 60 * 60_000
const noon = Date.UTC(2026, 4, 1, 12)

async function startTwo(t: TestContext) {
  const clock = new FakeClock(noon)
  const resolver = mapResolver({})
  const ports = new Map<string, Endpoint>()
  const start = async (domain: string, user: string): Promise<PosthornServer> => {
    const { config } = parseConfig(
      `hostname = "mail.${domain}"
       [listen]
       smtp = ["127.0.0.1:0"]
       submissions = ["127.0.0.1:0"]
       [reports]
       organisation = "People of ${domain}"`,
      '/x/posthorn.toml',
    )
    const server = await createServer(
      { ...config, data: temporaryFolder(t) },
      {
        ...{ clock, random: seededRandom(domain.length), log: silentLog, resolver },
        dialler: loopbackDialler(ports, systemClock),
        authorities: [authority.certificate],
        certificate: issueCertificate(authority, { hostnames: [`mail.${domain}`] }, making),
      },
    )
    t.after(() => server.close(0))
    const add = (path: string, body: object) => ask(server, 'POST', path, body)
    await add('/v1/domains', { domain })
    await add('/v1/accounts', { address: `${user}@${domain}`, password: 'secret' })
    // Nobody makes dmarc-reports@ and tls-reports@: they go where postmaster@ does.
    const { keys } = await ask<{ keys: { record: { name: string; value: string } }[] }>(
      server,
      'GET',
      `/v1/domains/${domain}/keys`,
    )
    for (const { record } of keys) resolver.set(record.name, { TXT: [record.value] })
    resolver.set(domain, {
      MX: [{ preference: 10, exchange: `mail.${domain}` }],
      TXT: ['v=spf1 ip4:127.0.0.1 -all'],
    })
    resolver.set(`mail.${domain}`, { A: ['127.0.0.1'] })
    resolver.set(`_dmarc.${domain}`, { TXT: [`v=DMARC1; p=reject; rua=mailto:dmarc-reports@${domain}`] })
    resolver.set(`_smtp._tls.${domain}`, { TXT: [`v=TLSRPTv1; rua=mailto:tls-reports@${domain}`] })
    ports.set(`mail.${domain}:25`, parseEndpoint(server.line.smtp!))
    return server
  }
  const crepes = await start('crepes.fr', 'alice')
  const hamburger = await start('hamburger.edu', 'bob')
  const both = [crepes, hamburger]

  /** No faster than the machine’s own time, so that no time-out of a conversation comes before its answer. */
  async function until(what: string, done: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + 60_000
    while (!(await done())) {
      assert.ok(performance.now() < giveUpAt, what)
      clock.advance(5)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const idle = async (): Promise<boolean> => {
    for (const { queue, store } of both)
      if (queue.active > 0 || (await store.listQueue(1)).length > 0) return false
    return true
  }
  return {
    ...{ clock, crepes, hamburger, until },
    /** An hour at a time, each until all mail of it has arrived. */
    async pass(hours: number): Promise<void> {
      for (let n = 0; n < hours; n++) {
        clock.advance(hourMs)
        // Answered after the run that became due has ended.
        for (const server of both) await ask(server, 'POST', '/v1/reports/send', { dryRun: true })
        await until('all mail has arrived', idle)
      }
    },
  }
}

async function ask<T>(
  server: PosthornServer,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<T> {
  const app = await server.adminApp()
  const answer = await app.request(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
  return (await answer.json()) as T
}

const reportsOf = async (server: PosthornServer): Promise<ReportSummary[]> =>
  (await ask<{ reports: ReportSummary[] }>(server, 'GET', '/v1/reports')).reports

/** alice@crepes.fr hands in a letter to bob. */
async function handIn(crepes: PosthornServer): Promise<void> {
  const { address: host, port } = parseEndpoint(crepes.line.submissions!)
  const socket = connectTls({ host, port, rejectUnauthorized: false })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const login = Buffer.from('\0alice@crepes.fr\0secret').toString('base64')
  await replay(
    socket,
    `
    S: (…)
    C: EHLO [127.0.0.1]
    S: (…)
    C: AUTH PLAIN ${login}
    S: 235 <…>
    C: MAIL FROM:<alice@crepes.fr>
    S: 250 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 <…>
    C: DATA
    S: 354 <…>
    C: From: alice@crepes.fr
    C: Subject: Ketchup?
    C:
    C: Do you like ketchup?
    C: .
    S: 250 <…>
    C: QUIT
    S: 221 <…>
  `,
  )
}

/** Somebody at another address writes in alice's name. */
async function forge(hamburger: PosthornServer): Promise<void> {
  const { address: host, port } = parseEndpoint(hamburger.line.smtp!)
  const socket = connect({ host, port, localAddress: '127.0.0.2' })
  await new Promise((resolve) => socket.once('connect', resolve))
  await replay(
    socket,
    `
    S: (…)
    C: EHLO liar.example
    S: (…)
    C: MAIL FROM:<alice@liar.example>
    S: 250 <…>
    C: RCPT TO:<bob@hamburger.edu>
    S: 250 <…>
    C: DATA
    S: 354 <…>
    C: From: alice@crepes.fr
    C:
    C: Send money.
    C: .
    S: 550 <…>
    C: QUIT
    S: 221 <…>
  `,
  )
}

test('after midnight each domain is told what was seen of it, and nobody is told about reports', async (t) => {
  const { crepes, hamburger, until, pass } = await startTwo(t)
  await handIn(crepes)
  await handIn(crepes)
  const send = (request: object) =>
    ask<{ reports: ReportOutcome[] }>(hamburger, 'POST', '/v1/reports/send', request)
  await until('bob has alice’s letters', async () => {
    const { reports } = await send({ now: true, dryRun: true })
    return reports[0]?.count === 2
  })
  await forge(hamburger)
  const { reports: planned } = await send({ now: true, dryRun: true })
  assert.deepEqual(
    planned.map(({ kind, domain, count, state, to }) => [kind, domain, count, state, to]),
    [['dmarc', 'crepes.fr', 3, 'ready', ['dmarc-reports@crepes.fr']]],
  )

  await pass(17)
  await until('the reports have been read', async () => {
    return (await reportsOf(crepes)).length > 0 && (await reportsOf(hamburger)).length > 0
  })
  const [dmarc, ...moreDmarc] = await reportsOf(crepes)
  assert.deepEqual(moreDmarc, [])
  const { id, reportId, receivedAt, ...summary } = dmarc!
  assert.deepEqual(summary, {
    ...{
      kind: 'dmarc',
      domain: 'crepes.fr',
      organisation: 'People of hamburger.edu',
      verified: true,
      total: 3,
      passed: 2,
    },
    ...{ begin: Date.UTC(2026, 4, 1), end: Date.UTC(2026, 4, 1, 23, 59, 59) },
  })
  const shown = await ask<ReceivedReport>(crepes, 'GET', `/v1/reports/${id}`)
  assert.ok(shown.kind === 'dmarc')
  assert.deepEqual(
    shown.report.records.map((row) => [row.sourceAddress, row.count, row.disposition, row.dkim, row.spf]),
    [
      ['127.0.0.1', 2, 'pass', 'pass', 'pass'],
      ['127.0.0.2', 1, 'reject', 'fail', 'fail'],
    ],
  )
  const [tls, ...moreTls] = await reportsOf(hamburger)
  assert.deepEqual(moreTls, [])
  assert.deepEqual(
    [tls!.kind, tls!.domain, tls!.organisation, tls!.verified, tls!.total, tls!.total - tls!.passed],
    ['tls', 'hamburger.edu', 'People of crepes.fr', true, tls!.total, 0],
  )
  assert.ok(tls!.total >= 1)

  // The night after: what carried the reports is not reported about.
  await pass(24)
  assert.equal((await reportsOf(crepes)).length, 1)
  assert.equal((await reportsOf(hamburger)).length, 1)
})
