import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../base/random.ts'
import { alternativeNames } from './alternative-names.ts'
import { makeSelfSigned } from './certificate.ts'
import { expiryNotice, readCertificateFacts } from './certificate-facts.ts'

test('names are read as Node prints them, and none can be written into another', () => {
  assert.deepEqual(alternativeNames('DNS:a.example, IP Address:127.0.0.1, email:ada@a.example'), [
    { kind: 'DNS', value: 'a.example' },
    { kind: 'IP Address', value: '127.0.0.1' },
    { kind: 'email', value: 'ada@a.example' },
  ])
  assert.deepEqual(alternativeNames('DNS:"a.example, email:eve@a.example", email:"b\\u0000@c"'), [
    { kind: 'DNS', value: 'a.example, email:eve@a.example' },
    { kind: 'email', value: 'b\0@c' },
  ])
  for (const broken of ['', ',', 'DNS', 'a"b', 'DNS:a"email:eve@a.example', 'DNS:"a']) {
    assert.deepEqual(alternativeNames(broken), [])
  }
})

test('the end of a certificate is told two weeks before', () => {
  const day = 86_400_000
  const nowMs = Date.UTC(2026, 10, 23)
  const made = makeSelfSigned({ hostnames: ['Mail.One.example'] }, { nowMs, days: 90, random: systemRandom })
  const facts = readCertificateFacts(made.certificate)
  assert.deepEqual(facts.names, ['mail.one.example'])
  assert.equal(facts.issuer, 'Mail.One.example')
  const at = (days: number) => expiryNotice(facts, nowMs + days * day)
  assert.equal(at(75), null)
  assert.deepEqual(at(77), { level: 'warn', text: 'the TLS certificate expires in 13 days' })
  assert.equal(at(88.5)?.level, 'error')
  assert.match(at(91)!.text, /has expired/)
  assert.match(at(-1)!.text, /not valid yet/)
})
