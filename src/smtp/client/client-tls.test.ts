import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { Recorder } from '../../journey/recorder.ts'
import { issueCertificate, makeAuthority, makeSelfSigned } from '../../tls/certificate.ts'
import { createServerTls } from '../../tls/server-tls.ts'
import { openSmtpClient, type ClientTlsPolicy } from './client.ts'
import { createDialler } from './dialler.ts'
import { scriptedServer } from './scripted-server.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const authority = makeAuthority('Posthorn Lab', making)
const names = { hostnames: ['mx.hamburger.example'] }
const trusted = createServerTls(issueCertificate(authority, names, making)).terms()
const untrusted = createServerTls(makeSelfSigned(names, making)).terms()
const ca = [authority.certificate]

async function open(script: string, tls: ClientTlsPolicy, context = trusted, tlsTimeoutMs = 10_000) {
  const server = await scriptedServer(script, context)
  const recorder = new Recorder(systemClock)
  const { address, port } = server.endpoint
  const result = await openSmtpClient({
    target: { hostname: 'mx.hamburger.example', address, port },
    dialler: createDialler({ localAddress: null, clock: systemClock }),
    clock: systemClock,
    log: silentLog,
    ehloName: 'crepes.example',
    tls,
    dialect: 'esmtp',
    recorder,
    limits: { tlsTimeoutMs },
  }).then(
    async (client) => {
      await client.quit()
      return { client, error: null }
    },
    (error) => ({ client: null, error }),
  )
  const problems = await server.problems()
  server.close()
  return { ...result, problems, events: recorder.take() }
}

const secured = `
  S: 220 mx ESMTP
  C: EHLO crepes.example
  S: 250-mx
  S: 250-SMTPUTF8
  S: 250 STARTTLS
  C: STARTTLS
  S: 220 Go ahead
  S: (tls)
  C: EHLO crepes.example
  S: 250-mx
  S: 250 PIPELINING
  C: QUIT
  S: 221 Bye
`

test('TLS is used when it is offered, and only what was said inside it counts', async () => {
  const { client, problems, events } = await open(secured, { mode: 'opportunistic', ca })
  assert.deepEqual(problems, [])
  assert.deepEqual([...client!.extensions], [['PIPELINING', '']])
  assert.equal(client!.tls!.trusted, true)
  const done = events.find((event) => event.kind === 'tls.done')!
  assert.equal(done.stage, 'secured')
  assert.deepEqual(
    [done.data['ok'], done.data['trusted'], done.data['version'], done.data['issuer']],
    [true, true, 'TLSv1.3', 'CN=Posthorn Lab'],
  )
})

test('a certificate that is not good is used all the same, and recorded as such', async () => {
  const { client, problems } = await open(secured, { mode: 'opportunistic', ca }, untrusted)
  assert.deepEqual(problems, [])
  assert.deepEqual([client!.tls!.trusted, client!.tls!.reason], [false, 'self-signed'])
})

test('where TLS is required, a certificate that is not good ends the conversation before MAIL', async () => {
  const ended = secured.replace(/\(tls\).*C: QUIT/s, '(tls)\n  C: QUIT')
  const { error, problems } = await open(ended, { mode: 'required', ca }, untrusted)
  assert.deepEqual(problems, [])
  assert.deepEqual([error.reason, error.kind, error.status], ['tls-required', 'temporary', '4.7.5'])
  assert.equal((await open(secured, { mode: 'required', ca })).error, null)
})

test('where TLS is required, a server without it gets no mail', async () => {
  const plain = 'S: 220 mx\nC: EHLO crepes.example\nS: 250 mx\nC: QUIT\nS: 221 x'
  const { error, problems } = await open(plain, { mode: 'required', ca })
  assert.deepEqual([error.reason, error.status, problems], ['tls-required', '4.7.4', []])
})

test('STARTTLS that is refused for now leaves an opportunistic client in the clear', async () => {
  const script = `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250 STARTTLS
    C: STARTTLS
    S: 454 TLS not available
    C: QUIT
    S: 221 Bye
  `
  const { client, problems } = await open(script, { mode: 'opportunistic', ca })
  assert.deepEqual([client!.tls, problems], [null, []])
  assert.equal((await open(script, { mode: 'required', ca })).error.reason, 'tls-required')
})

test('a failed handshake is an error of its own, so that the caller may try again in the clear', async () => {
  const script = `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 Go ahead
    S: 250 I have no TLS really
  `
  const { error, events } = await open(script, { mode: 'opportunistic', ca }, trusted, 500)
  assert.deepEqual([error.name, error.reason, error.kind], ['SmtpFailure', 'tls-failed', 'temporary'])
  assert.equal(events.find((event) => event.kind === 'tls.done')!.data['ok'], false)
})

test('replies put in behind the 220 are forgotten', async () => {
  const script = secured.replace(
    'S: 220 Go ahead',
    'S: (raw "220 Go ahead\\r\\n250-evil\\r\\n250 AUTH PLAIN\\r\\n250 ok\\r\\n")',
  )
  const { client, problems } = await open(script, { mode: 'opportunistic', ca })
  assert.deepEqual(problems, [])
  assert.deepEqual([...client!.extensions], [['PIPELINING', '']])
})

test('mode none does not ask for TLS', async () => {
  const script = 'S: 220 mx\nC: EHLO crepes.example\nS: 250-mx\nS: 250 STARTTLS\nC: QUIT\nS: 221 x'
  const { client, problems } = await open(script, { mode: 'none', ca })
  assert.deepEqual([client!.tls, problems], [null, []])
})
