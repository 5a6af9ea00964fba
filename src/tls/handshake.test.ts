import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { FakeClock, systemClock } from '../base/clock.ts'
import { Peer } from '../base/peer.ts'
import { systemRandom } from '../base/random.ts'
import { type CertificateAndKey, issueCertificate, makeAuthority, makeSelfSigned } from './certificate.ts'
import { type ClientTlsOptions, startClientTls } from './client-tls.ts'
import { createServerTls } from './server-tls.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const authority = makeAuthority('Posthorn Lab', making)
const names = { hostnames: ['mx.hamburger.example'], addresses: ['127.0.0.1'] }

/** Lets one client connect to what `serve` makes of the connection. */
async function meet<T>(serve: (socket: Socket) => void, visit: (socket: Socket) => Promise<T>): Promise<T> {
  const server = createServer({ allowHalfOpen: true }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  try {
    return await visit(socket)
  } finally {
    socket.destroy()
    server.close()
  }
}

function handshake(pem: CertificateAndKey, options: Partial<ClientTlsOptions> = {}) {
  const serve = (socket: Socket): void => {
    const peer = new Peer(socket)
    peer.handle({ data: (chunk) => peer.write(chunk), end: () => peer.end(), idle() {}, close() {} })
    peer.startTls(createServerTls(pem).terms(), 5_000).catch(() => {})
  }
  return meet(serve, async (plain) => {
    const { socket, facts } = await startClientTls(plain, {
      serverName: 'mx.hamburger.example',
      ca: [authority.certificate],
      opportunistic: true,
      timeoutMs: 5_000,
      clock: systemClock,
      ...options,
    })
    socket.write('ketchup')
    const [echo] = await once(socket, 'data')
    assert.equal(String(echo), 'ketchup')
    socket.destroy()
    return facts
  })
}

test("a certificate of the Lab's authority is trusted when the authority is given", async () => {
  const facts = await handshake(issueCertificate(authority, names, making))
  assert.equal(facts.reason, null)
  assert.equal(facts.trusted, true)
  assert.equal(facts.version, 'TLSv1.3')
  assert.deepEqual(facts.names, ['mx.hamburger.example', '127.0.0.1'])
  assert.equal(facts.issuer, 'CN=Posthorn Lab')
  assert.equal(facts.expiresAt, Math.floor((making.nowMs + 730 * 86_400_000) / 1000) * 1000)
  assert.match(facts.fingerprint, /^[0-9a-f]{64}$/)
})

test('a certificate for an address is good for that address', async () => {
  const facts = await handshake(issueCertificate(authority, names, making), { serverName: '127.0.0.1' })
  assert.equal(facts.reason, null)
})

const long = 400 * 86_400_000
const untrusted: [
  title: string,
  pem: CertificateAndKey,
  options: Partial<ClientTlsOptions>,
  reason: string,
][] = [
  ['self-signed', makeSelfSigned(names, making), {}, 'self-signed'],
  [
    'another name',
    issueCertificate(authority, names, making),
    { serverName: 'crepes.example' },
    'wrong name',
  ],
  [
    'expired',
    issueCertificate(authority, names, { ...making, nowMs: making.nowMs - long, days: 90 }),
    {},
    'expired',
  ],
  [
    'not yet valid',
    issueCertificate(authority, names, { ...making, nowMs: making.nowMs + long }),
    {},
    'not yet valid',
  ],
  ['unknown authority', issueCertificate(authority, names, making), { ca: [] }, 'unknown issuer'],
]
for (const [title, pem, options, reason] of untrusted) {
  test(`a certificate that is not good is used, and said not to be trusted: ${title}`, async () => {
    const facts = await handshake(pem, options)
    assert.deepEqual([facts.trusted, facts.reason], [false, reason])
  })
}

test('a server that speaks no TLS, hangs up or says nothing ends the handshake', async () => {
  const options = {
    serverName: 'a.example',
    ca: [],
    opportunistic: true,
    timeoutMs: 5_000,
    clock: systemClock,
  }
  await assert.rejects(
    meet(
      (socket) => socket.on('error', () => {}).end('220 no TLS here\r\n'),
      (socket) => startClientTls(socket, options),
    ),
  )
  await assert.rejects(
    meet(
      (socket) => socket.on('error', () => {}).destroy(),
      (socket) => startClientTls(socket, options),
    ),
  )
  const clock = new FakeClock()
  await assert.rejects(
    meet(
      (socket) => {
        socket.on('error', () => {})
        socket.once('data', () => clock.advance(5_000))
      },
      (socket) => startClientTls(socket, { ...options, clock }),
    ),
    /took too long/,
  )
})

test('a renewed certificate counts from the next handshake on, a broken one is refused', async () => {
  const first = makeSelfSigned(names, making)
  const tls = createServerTls(first)
  const { context } = tls.terms()
  assert.throws(
    () => tls.replace({ certificate: first.certificate, key: makeSelfSigned(names, making).key }),
    /Cannot use the TLS certificate and key/,
  )
  assert.equal(tls.terms().context, context)
  tls.replace(makeSelfSigned(names, making))
  assert.notEqual(tls.terms().context, context)
})
