import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { signatureFacts } from '../message/signature-facts.ts'
import type { DomainKey } from '../store/domain-keys.ts'
import { makeSigner } from './make-signer.ts'

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

function key(selector: string, more: Partial<DomainKey> = {}): DomainKey {
  return {
    ...{ domain: 'crepes.example', selector, algorithm: 'ed25519-sha256', privateKey: pem },
    ...{ createdAt: 0, activeFrom: 0, retiredAt: null },
    ...more,
  }
}

async function signed(keys: DomainKey[], now: number, authorDomain = 'crepes.example'): Promise<string[]> {
  const signer = makeSigner({
    store: { listDomainKeys: async (domain) => keys.filter((each) => each.domain === domain) },
    clock: new FakeClock(now),
    log: silentLog,
    limits: { headerOctets: 10_000 },
  }).open()
  signer.push(Buffer.from('From: alice@crepes.example\r\n\r\nHello\r\n'))
  const fields = await signer.finish(authorDomain, ['Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n'])
  return fields.map((field) => {
    const { domain, selector, algorithm } = signatureFacts(field)
    return `${domain} ${selector} ${algorithm}`
  })
}

test('the keys that are active sign, those before and after their time do not', async () => {
  const keys = [
    key('old', { retiredAt: 1_000 }),
    key('now', { retiredAt: 3_000 }),
    key('next', { activeFrom: 2_000 }),
  ]
  assert.deepEqual(
    await signed(keys, 999),
    ['old', 'now'].map((name) => `crepes.example ${name} ed25519-sha256`),
  )
  assert.deepEqual(await signed(keys, 1_000), ['crepes.example now ed25519-sha256'])
  assert.equal((await signed(keys, 2_500)).length, 2)
})

test('a host below the domain is signed for by the domain; others are not', async () => {
  assert.equal((await signed([key('a')], 0, 'mail.crepes.example')).length, 1)
  assert.deepEqual(await signed([key('a')], 0, 'hamburger.example'), [])
})

test('a key that cannot be read costs its own signature only', async () => {
  assert.deepEqual(await signed([key('bad', { privateKey: 'nonsense' }), key('good')], 0), [
    'crepes.example good ed25519-sha256',
  ])
})
