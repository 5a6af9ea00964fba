/** The client against somebody else's server: the npm package smtp-server. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom, systemRandom } from '../../base/random.ts'
import { Recorder } from '../../journey/recorder.ts'
import { issueCertificate, makeAuthority } from '../../tls/certificate.ts'
import { openSmtpClient } from './client.ts'
import { createDialler } from './dialler.ts'

interface Session {
  readonly secure: boolean
  readonly hostNameAppearsAs: string
  readonly envelope: {
    readonly mailFrom: { readonly address: string; readonly args: Record<string, string> }
    readonly rcptTo: readonly { readonly address: string }[]
  }
}
type Done = (error?: Error | null, text?: string) => void
interface Handlers {
  readonly [option: string]: unknown
  onRcptTo(path: { address: string }, session: Session, done: Done): void
  onData(stream: Readable, session: Session, done: Done): void
}
// The package has no types.
const { SMTPServer } = createRequire(import.meta.url)('smtp-server') as {
  SMTPServer: new (
    options: Handlers,
  ) => {
    readonly server: Server
    listen(port: number, host: string): void
    close(done: () => void): void
    on(event: 'error', listener: () => void): void
  }
}

test('smtp-server gets over TLS exactly what was sent, message after message', async () => {
  const making = { nowMs: Date.now(), random: systemRandom }
  const authority = makeAuthority('Posthorn Lab', making)
  const pem = issueCertificate(authority, { hostnames: ['mx.hamburger.example'] }, making)
  const got: { octets: Buffer; session: Session }[] = []
  const server = new SMTPServer({
    cert: pem.certificate,
    key: pem.key,
    authOptional: true,
    size: 10_000_000,
    disableReverseLookup: true,
    onRcptTo: (path, _session, done) =>
      done(path.address.startsWith('nix') ? new Error('No such user') : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        got.push({
          octets: Buffer.concat(chunks),
          session: structuredClone({ ...session, tlsOptions: null }),
        })
        done(null, 'kept')
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { address, port } = server.server.address() as AddressInfo
  const client = await openSmtpClient({
    target: { hostname: 'mx.hamburger.example', address, port },
    dialler: createDialler({ localAddress: null, clock: systemClock }),
    clock: systemClock,
    log: silentLog,
    ehloName: 'crepes.example',
    tls: { mode: 'required', ca: [authority.certificate] },
    dialect: 'esmtp',
    recorder: new Recorder(systemClock),
  })
  assert(client.extensions.has('PIPELINING'))
  const random = seededRandom(3)
  const alphabet = ['\r\n', '\r\n.', '.', 'ketchup', ' ', '\xe9', '\r\n\r\n']
  const sent: string[] = []
  for (let round = 0; round < 20; round++) {
    let text = 'Subject: pickles\r\n\r\n'
    for (let words = round * 2_000; words > 0; words -= 100) {
      for (const octet of random.bytes(100)) text += alphabet[octet % alphabet.length]!
    }
    text += '\r\n'
    sent.push(text)
    const octets = Buffer.from(text, 'latin1')
    const result = await client.send({
      reversePath: 'alice@crepes.example',
      recipients: ['bob@hamburger.example', 'nix@hamburger.example'].map((forwardPath) => ({
        forwardPath,
        orcpt: null,
        notify: null,
      })),
      octets: octets.length,
      eightBit: true,
      smtpUtf8: false,
      prefix: text.slice(0, 18),
      body: async (offset, length) => octets.subarray(18 + offset, 18 + offset + Math.min(length, 1_000)),
      envid: null,
      ret: null,
    })
    assert.deepEqual(
      [...result.recipients.values()].map((outcome) => [outcome.kind, outcome.stage]),
      [
        ['delivered', 'end-of-data'],
        ['permanent', 'rcpt'],
      ],
    )
  }
  await client.quit()
  await new Promise<void>((resolve) => server.close(resolve))
  assert.deepEqual(
    got.map(({ octets }) => octets.toString('latin1')),
    sent,
  )
  const { session } = got[19]!
  assert.equal(session.secure, true)
  assert.equal(session.hostNameAppearsAs, 'crepes.example')
  assert.equal(session.envelope.mailFrom.args['BODY'], '8BITMIME')
  assert.equal(Number(session.envelope.mailFrom.args['SIZE']), sent[19]!.length)
  assert.deepEqual(
    session.envelope.rcptTo.map((path) => path.address),
    ['bob@hamburger.example'],
  )
})
