import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { Peer, type TlsFacts } from '../base/peer.ts'
import { systemRandom } from '../base/random.ts'
import { makeSelfSigned } from './certificate.ts'
import { createServerTls, type ServerTls } from './server-tls.ts'

const making = { nowMs: Date.now(), random: systemRandom }
const one = makeSelfSigned({ hostnames: ['mail.one.example'] }, making)
const two = makeSelfSigned({ hostnames: ['mail.two.example', '*.wild.example'] }, making)
const both = { certificates: [one, two], clientCa: null }

interface Opened {
  readonly port: number
  /** What the server made of each handshake so far. */
  readonly met: (TlsFacts | Error)[]
}

/** A port that puts TLS under each connection and says what it learnt. */
async function open(t: TestContext, tls: ServerTls): Promise<Opened> {
  const met: (TlsFacts | Error)[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket)
    peer.handle({ data() {}, end: () => peer.end(), idle() {}, close() {} })
    peer.startTls(tls.terms(), 5_000).then(
      (facts) => {
        met.push(facts)
        peer.write(`${JSON.stringify(facts)}\n`)
      },
      (error: Error) => met.push(error),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, met }
}

/** Connects, waits for the server's facts, and closes. */
async function visit(port: number, options: ConnectionOptions = {}) {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  let session: Buffer | null = null
  socket.on('session', (ticket: Buffer) => (session = ticket))
  const [line] = (await once(socket, 'data')) as [Buffer]
  const certificate = socket.getPeerX509Certificate()
  const reused = socket.isSessionReused()
  const { alpnProtocol } = socket
  socket.end()
  await once(socket, 'close')
  return { facts: JSON.parse(String(line)) as TlsFacts, certificate, reused, alpnProtocol, session }
}

const subjectOf = (pem: { certificate: string }) => new X509Certificate(pem.certificate).fingerprint256

test('each name gets its certificate, RFC 6066 §3, and who names none or another the first', async (t) => {
  const { port } = await open(t, createServerTls(both))
  for (const [servername, pem] of [
    ['mail.one.example', one],
    ['mail.two.example', two],
    ['MAIL.TWO.EXAMPLE', two],
    ['any.wild.example', two],
    ['wild.example', one],
    ['a.b.wild.example', one],
    ['stranger.example', one],
    ['', one],
  ] as const) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { certificate } = await visit(port, { servername, maxVersion })
      assert.equal(certificate?.fingerprint256, subjectOf(pem), `${servername} ${maxVersion}`)
    }
  }
})

test('RFC 7301 §3.2: who offers only what is not spoken here is turned away', async (t) => {
  const { port, met } = await open(t, createServerTls(both).forDoor({ protocol: 'imap', identify: null }))
  assert.equal((await visit(port, { ALPNProtocols: ['h2', 'imap'] })).alpnProtocol, 'imap')
  assert.equal((await visit(port)).alpnProtocol, false)
  for (const wrong of [['http/1.1'], ['smtp', 'h2']]) {
    await assert.rejects(visit(port, { ALPNProtocols: wrong }), /no application protocol/i)
  }
  assert.equal(met.filter((fact) => fact instanceof Error).length, 2)
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a session goes on at another door, and after the certificate was replaced: ${maxVersion}`, async (t) => {
    const tls = createServerTls(both)
    const first = await open(t, tls.forDoor({ protocol: 'imap', identify: null }))
    const second = await open(t, tls.forDoor({ protocol: 'pop3', identify: null }))
    const options = { servername: 'mail.two.example', maxVersion }
    const { session, reused } = await visit(first.port, options)
    assert.equal(reused, false)
    assert.ok(session !== null)
    assert.equal((await visit(second.port, { ...options, session })).facts.resumed, true)
    tls.replace({
      certificates: [one, makeSelfSigned({ hostnames: ['mail.two.example'] }, making)],
      clientCa: null,
    })
    assert.equal((await visit(first.port, { ...options, session })).facts.resumed, true)
  })
}

test('a ticket of an old key leads to a full handshake', async (t) => {
  let nowMs = 0
  const { port } = await open(
    t,
    createServerTls(both, () => nowMs),
  )
  const { session } = await visit(port)
  assert.ok(session !== null)
  assert.equal((await visit(port, { session })).reused, true)
  nowMs = 12 * 3_600_000
  assert.equal((await visit(port, { session })).reused, false)
})

const run = promisify(execFile)

/** An authority, ada's certificate by it, and one that nobody issued, made by openssl. */
async function clientCertificates(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=People',
    '-days',
    '9',
  )
  const extensions =
    'subjectAltName=email:ada@one.example,email:info@one.example\nextendedKeyUsage=clientAuth\n'
  await writeFile(join(folder, 'ext'), extensions)
  await openssl('req', ...key, '-keyout', 'ada.key', '-out', 'ada.csr', '-subj', '/CN=Ada')
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '9']
  await openssl('x509', '-req', '-in', 'ada.csr', ...sign, '-extfile', 'ext', '-out', 'ada.pem')
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'eve.key',
    '-out',
    'eve.pem',
    '-subj',
    '/CN=ada@one.example',
  )
  return { folder, openssl, file: (name: string) => join(folder, name) }
}

test('a client certificate of the named authority is believed and no other, also in openssl s_client', async (t) => {
  const made = await clientCertificates(t)
  const { readFile } = await import('node:fs/promises')
  const read = (name: string) => readFile(made.file(name), 'latin1')
  const asked: string[] = []
  const identify = async (certificate: X509Certificate): Promise<string[]> => {
    asked.push(certificate.subject)
    return ['ada@one.example']
  }
  const tls = createServerTls({ certificates: [one, two], clientCa: await read('ca.pem') })
  const people = await open(t, tls.forDoor({ protocol: 'imap', identify }))
  const strangers = await open(t, tls.forDoor({ protocol: 'smtp', identify: null }))
  const ada = { cert: await read('ada.pem'), key: await read('ada.key'), servername: 'mail.two.example' }
  const eve = { cert: await read('eve.pem'), key: await read('eve.key') }

  const { facts, session } = await visit(people.port, ada)
  assert.deepEqual(facts.client, { subject: 'CN=Ada', accounts: ['ada@one.example'] })
  assert.ok(session !== null)
  const again = await visit(people.port, { ...ada, session })
  assert.equal(again.facts.resumed, true)
  assert.deepEqual(again.facts.client?.accounts, ['ada@one.example'])
  assert.equal((await visit(people.port, eve)).facts.client, undefined)
  assert.equal((await visit(people.port)).facts.client, undefined)
  assert.equal((await visit(strangers.port, ada)).facts.client, undefined)
  assert.deepEqual(asked, ['CN=Ada', 'CN=Ada'])

  // The other authority's tickets are worth nothing.
  tls.replace({ certificates: [one, two], clientCa: eve.cert })
  const changed = await visit(people.port, { ...ada, session })
  assert.deepEqual([changed.facts.resumed, changed.facts.client], [undefined, undefined])

  tls.replace({ certificates: [one, two], clientCa: await read('ca.pem') })
  const pending = made.openssl(
    ...[
      's_client',
      '-connect',
      `127.0.0.1:${people.port}`,
      '-cert',
      'ada.pem',
      '-key',
      'ada.key',
      '-alpn',
      'imap',
    ],
    ...['-servername', 'mail.two.example', '-ign_eof', '-quiet'],
  )
  pending.child.stdout?.once('data', () => pending.child.kill())
  const { stdout } = (await pending.catch((error: unknown) => error)) as { stdout: string }
  assert.deepEqual((JSON.parse(stdout) as TlsFacts).client?.accounts, ['ada@one.example'])
})
