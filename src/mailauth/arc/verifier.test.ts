import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { sealMessage } from './seal-fixture.ts'
import { corpus, readVector, verifyMessage, withCrlf } from '../verify-fixture.ts'

interface Suite {
  readonly description: string
  readonly tests: Readonly<Record<string, { description: string; message: string; cv: string }>>
  readonly 'txt-records': Readonly<Record<string, string>>
}

/**
 * Where we differ, by name. Without c= the suite takes the header as relaxed; RFC 8617 §4.1.2 says "the same syntax and
 * semantics as the DKIM-Signature field", where RFC 6376 §3.5 has simple/simple.
 */
const otherwise: Readonly<Record<string, string>> = { ams_fields_c_na: 'fail' }

for (const suite of JSON.parse(corpus('arc/validation-tests.json')) as Suite[]) {
  for (const [name, { message, cv, description }] of Object.entries(suite.tests)) {
    test(`arc_test_suite, ${suite.description.trim()}: ${name}, ${description}`, async () => {
      const { arc } = await verifyMessage(withCrlf(message), suite['txt-records'])
      // Some leave open what to say of a chain that says itself that it failed: RFC 8617 §5.2 says fail.
      assert.equal(arc.result, otherwise[name] ?? (cv.trim().toLowerCase() || 'fail'), arc.reason ?? '')
    })
  }
}

for (const number of [1, 2]) {
  test(`a chain of the world verifies: mail-auth-${number}`, async () => {
    const { txt, message } = readVector(`arc/mail-auth-${number}.txt`)
    const { arc } = await verifyMessage(message, txt)
    assert.equal(arc.result, 'pass', arc.reason ?? '')
  })
}

test('what each hop attests is read', async () => {
  const { txt, message } = readVector('arc/mail-auth-1.txt')
  const { arc } = await verifyMessage(message, txt)
  assert.equal(arc.hops[0]?.domain, 'google.com')
  assert.equal(arc.hops[0]?.results?.server, 'mx.google.com')
  assert.deepEqual(
    arc.hops[0]?.results?.results.map(({ method, result }) => `${method}=${result}`),
    ['dkim=pass', 'dkim=pass', 'dkim=neutral', 'spf=pass', 'dmarc=fail'],
  )
})

test('a key that cannot be looked up now is no failed chain', async () => {
  const { txt, message } = readVector('arc/mail-auth-1.txt')
  const name = 'arc-20160816._domainkey.google.com'
  const { arc } = await verifyMessage(message, txt, { dns: { [name]: 'servfail' } })
  assert.equal(arc.result, 'temperror')
})

test('more sets than the bound are a failed chain', async () => {
  const { txt, message } = readVector('arc/mail-auth-1.txt')
  const { arc } = await verifyMessage(message, txt, { limits: { arcSets: 0 } })
  assert.deepEqual([arc.result, arc.reason], ['fail', 'over 0 sets'])
})

test('RFC 8617 §4.2.1: a chain of fifty sets passes, one of fifty-one does not', async () => {
  const { privateKey: key, publicKey } = generateKeyPairSync('ed25519')
  const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  const txt = { 'ed._domainkey.lists.example': `v=DKIM1; k=ed25519; p=${p}` }
  let sealed: { message: string; fields: string[] } = {
    message: 'From: alice@crepes.example\r\nSubject: Ketchup\r\n\r\nDo you?\r\n',
    fields: [],
  }
  for (let instance = 1; instance <= 51; instance++) {
    const set = { instance, domain: 'lists.example', key, results: 'spf=none', before: sealed.fields }
    sealed = await sealMessage(sealed.message, set)
    if (instance < 50) continue
    const { arc } = await verifyMessage(sealed.message, txt)
    assert.deepEqual([arc.result, arc.reason], instance === 50 ? ['pass', null] : ['fail', 'over 50 sets'])
  }
})

describe('what one set may say', () => {
  const { privateKey: key, publicKey } = generateKeyPairSync('ed25519')
  const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  const txt = { 'ed._domainkey.lists.example': `v=DKIM1; k=ed25519; p=${p}` }
  const letter = 'From: alice@crepes.example\r\nSubject: Ketchup\r\n\r\nDo you?\r\n'
  const seal = (more: { instance: number | string; cv?: string; signed?: string[] }) =>
    sealMessage(letter, { domain: 'lists.example', key, results: 'spf=none', ...more })
  const judge = async (message: string) => (await verifyMessage(message, txt)).arc

  test('RFC 8617 §3.9: cv= has no case, and an instance may have two digits', async () => {
    const first = await seal({ instance: '01', cv: 'None' })
    const second = await sealMessage(first.message, {
      ...{ instance: '02', cv: 'PASS', domain: 'lists.example', key, results: 'arc=pass' },
      before: first.fields,
    })
    assert.deepEqual(
      [(await judge(first.message)).result, (await judge(second.message)).result],
      ['pass', 'pass'],
    )
  })

  test('RFC 6376 §6.1.1: a message signature without From is none', async () => {
    const { message } = await seal({ instance: 1, signed: ['subject'] })
    const { result, reason } = await judge(message)
    assert.deepEqual([result, reason], ['fail', 'ARC-Message-Signature: From field not signed'])
  })
})
