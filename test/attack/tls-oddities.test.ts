/** What a client asks of TLS itself: protocols, names, versions, and the same thing again and again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../src/base/random.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { createServerTls } from '../../src/tls/server-tls.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { Attacker, attack } from './client.ts'

const names = ['mail.hamburger.edu', 'mail.crepes.fr']
const certificate = (name: string) =>
  makeSelfSigned({ hostnames: [name] }, { nowMs: Date.now(), random: systemRandom })

async function openDoor(t: TestContext): Promise<SmtpHarness> {
  const tls = createServerTls({ certificates: names.map((name) => certificate(name)), clientCa: null })
  const own = tls.forDoor({ protocol: 'smtp', identify: null })
  const door = await openSmtpDoor({ door: { tls: own, implicitTls: true } })
  t.after(() => door.close())
  return door
}

/** @returns Null when the handshake failed. */
async function shake(door: SmtpHarness, options: ConnectionOptions): Promise<TLSSocket | null> {
  const { socket } = await attack(door.endpoint)
  socket.removeAllListeners('data')
  const tls = connectTls({ socket, rejectUnauthorized: false, ...options })
  return once(tls, 'secureConnect').then(
    () => tls,
    () => null,
  )
}

async function isServed(tls: TLSSocket | null): Promise<boolean> {
  if (tls === null) return false
  const one = new Attacker(tls)
  const greeted = await one.until(/^220 .*\r\n/).then(
    () => true,
    () => false,
  )
  tls.destroy()
  return greeted
}

for (const [id, what, ALPNProtocols, served] of [
  ['TLS-07', 'HTTP/1.1', ['http/1.1'], false],
  ['TLS-08', 'HTTP/2 and HTTP/1.1, as a browser does', ['h2', 'http/1.1'], false],
  ['TLS-09', 'IMAP', ['imap'], false],
  ['TLS-10', 'a protocol of 255 octets', ['x'.repeat(255)], false],
  [
    'TLS-11',
    'ours among a hundred others',
    [...Array.from({ length: 100 }, (_, i) => `x${i}`), 'smtp'],
    true,
  ],
  ['TLS-12', 'ours in capitals', ['SMTP'], false],
] as const) {
  test(`${id} a client that offers ${what} is ${served ? 'served' : 'turned away in the handshake'}`, async (t) => {
    const door = await openDoor(t)
    assert.equal(await isServed(await shake(door, { ALPNProtocols: [...ALPNProtocols] })), served)
    // And the next one is served as ever.
    assert.equal(await isServed(await shake(door, {})), true)
  })
}

for (const [id, servername, subject] of [
  ['TLS-13', 'mail.crepes.fr', names[1]],
  ['TLS-14', 'MAIL.CREPES.FR', names[1]],
  ['TLS-15', 'mail.crepes.fr.', undefined],
  ['TLS-16', 'nobody.example', names[0]],
  ['TLS-17', `${'x'.repeat(63)}.example`, names[0]],
  ['TLS-18', '__proto__', names[0]],
  ['TLS-19', '*.crepes.fr', names[0]],
  ['TLS-20', '../../etc/passwd', names[0]],
] as const) {
  test(`${id} a client that asks for ${JSON.stringify(servername.slice(0, 30))} gets a certificate that is ours`, async (t) => {
    const door = await openDoor(t)
    const tls = await shake(door, { servername })
    assert.ok(tls !== null)
    const found = tls.getPeerCertificate().subjectaltname ?? ''
    assert.match(found, subject === undefined ? /DNS:mail\./ : new RegExp(`DNS:${subject}`))
    assert.equal(await isServed(tls), true)
  })
}

for (const [id, version] of [
  ['TLS-21', 'TLSv1'],
  ['TLS-22', 'TLSv1.1'],
] as const) {
  test(`${id} ${version} is refused in the handshake`, async (t) => {
    const door = await openDoor(t)
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const
    assert.equal(await shake(door, options), null)
    assert.equal(await isServed(await shake(door, {})), true)
  })
}

for (const [id, ciphers] of [
  ['TLS-23', 'NULL-SHA256'],
  ['TLS-24', 'AES128-SHA'],
  ['TLS-25', 'ADH-AES128-SHA256'],
] as const) {
  test(`${id} a client that knows ${ciphers} only is refused`, async (t) => {
    const door = await openDoor(t)
    assert.equal(await shake(door, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` }), null)
  })
}

test('TLS-26 nobody makes us shake hands again on one connection', async (t) => {
  const door = await openDoor(t)
  const tls = await shake(door, { maxVersion: 'TLSv1.2' })
  assert.ok(tls !== null)
  tls.on('error', () => {})
  // OpenSSL's client waits for ever where a server only warns that it will not.
  const again = await Promise.race([
    new Promise<string>((resolve) => {
      tls.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null ? 'done' : 'refused'))
    }),
    once(tls, 'close').then(
      () => 'closed',
      () => 'refused',
    ),
    sleep(500).then(() => 'warned'),
  ])
  assert.notEqual(again, 'done')
  tls.destroy()
  assert.equal(await isServed(await shake(door, {})), true)
})

test('TLS-27 a hundred handshakes at once, half of them never ended, leave the door open', async (t) => {
  const door = await openSmtpDoor({
    door: { tls: createServerTls(certificate('mail.hamburger.edu')), implicitTls: true },
    limits: { connectionsPerAddress: 200, tlsHandshakeTimeoutMs: 1_000 },
  })
  t.after(() => door.close())
  const half = await Promise.all(Array.from({ length: 50 }, () => attack(door.endpoint)))
  for (const one of half) one.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
  const whole = await Promise.all(Array.from({ length: 50 }, () => shake(door, {}).then(isServed)))
  assert.deepEqual(new Set(whole), new Set([true]))
  // Those that never ended are let go of.
  await Promise.all(half.map((one) => one.rest()))
})
