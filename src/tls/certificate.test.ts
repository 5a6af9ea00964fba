import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import { issueCertificate, makeAuthority, makeSelfSigned } from './certificate.ts'

const nowMs = Date.UTC(2026, 10, 23)
const making = { nowMs, random: seededRandom(1) }

test('an authority signs certificates that a stranger verifies', () => {
  const authority = makeAuthority('Posthorn Lab', making)
  const made = issueCertificate(
    authority,
    { hostnames: ['mx.hamburger.example', 'hamburger.example'], addresses: ['127.0.0.1', '2001:db8::1'] },
    making,
  )
  const root = new X509Certificate(authority.certificate)
  const certificate = new X509Certificate(made.certificate)
  assert(root.ca && !certificate.ca)
  assert(certificate.checkIssued(root) && certificate.verify(root.publicKey))
  assert.equal(certificate.subject, 'CN=mx.hamburger.example')
  assert.equal(certificate.checkHost('hamburger.example'), 'hamburger.example')
  assert.equal(certificate.checkHost('crepes.example'), undefined)
  assert.equal(certificate.checkIP('2001:db8::1'), '2001:db8::1')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert(certificate.publicKey.equals(createPublicKey(made.key)))
  assert.equal(Date.parse(certificate.validFrom), nowMs - 3_600_000)
  assert.equal(Date.parse(certificate.validTo), nowMs + 730 * 86_400_000)
  assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/)
})

test('a self-signed certificate vouches for itself, beyond 2049 and for names over 64 chars too', () => {
  const long = `${'a'.repeat(63)}.hamburger.example`
  const made = makeSelfSigned({ hostnames: [long] }, { ...making, days: 365 * 40 })
  const certificate = new X509Certificate(made.certificate)
  assert(certificate.verify(certificate.publicKey))
  assert.equal(certificate.checkHost(long, { subject: 'never' }), long)
  assert.equal(new Date(certificate.validTo).getUTCFullYear(), 2066)
})

test('no two certificates have the same serial number', () => {
  const serials = new Set<string>()
  for (let i = 0; i < 20; i++) {
    serials.add(
      new X509Certificate(makeSelfSigned({ hostnames: ['a.example'] }, making).certificate).serialNumber,
    )
  }
  assert.equal(serials.size, 20)
})

test('what is no host name or address gets no certificate', () => {
  for (const hostname of ['', 'a b', 'a\0.example', 'ü.example', 'a,DNS:b']) {
    assert.throws(() => makeSelfSigned({ hostnames: [hostname] }, making), /Cannot make a certificate/)
  }
  for (const address of ['a.example', '127.0.0', 'fe80::1%lo', '']) {
    assert.throws(
      () => makeSelfSigned({ hostnames: ['a.example'], addresses: [address] }, making),
      /is no address/,
    )
  }
})
