import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { corpus, readVector, verifyMessage, withCrlf } from '../verify-fixture.ts'
import { BodyHash } from './body-hash.ts'
import { signedText } from './canonical-header.ts'
import { signText } from './sign.ts'
import { DkimSigner, type SigningKey } from './signer.ts'

for (const number of [1, 2, 3, 4, 5, 6]) {
  test(`a signed message of the world verifies: mail-auth-${number}`, async () => {
    const { txt, message } = readVector(`dkim/mail-auth-${number}.txt`)
    const { dkim } = await verifyMessage(message, txt, { now: 1_500_000_000_000 })
    assert.ok(dkim.length > 0)
    // The example of RFC 6376 A.2 in the second one has l= and a body that goes on.
    for (const one of dkim) assert.equal(one.result, 'pass', `${one.domain} ${one.selector}: ${one.reason}`)
  })
}

const footballKeys = {
  'brisbane._domainkey.football.example.com':
    'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
  'test._domainkey.football.example.com': corpus('dkim/test.txt').trim(),
}

test('RFC 8463 appendix A, cut anywhere', async () => {
  const { txt, message } = readVector('dkim/mail-auth-1.txt')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(message.length), { maxLength: 5 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), message.length]
      const pieces = places.slice(1).map((to, index) => message.slice(places[index], to))
      const { dkim } = await verifyMessage(pieces, txt)
      assert.deepEqual(
        dkim.map(({ result, algorithm }) => [result, algorithm]),
        [
          ['pass', 'ed25519-sha256'],
          ['pass', 'rsa-sha256'],
        ],
      )
    }),
    { numRuns: 50 },
  )
})

test('messages that dkimpy signed, simple and relaxed', async () => {
  for (const file of ['rfc6376.signed.msg', 'rfc6376.signed.rsa.msg']) {
    const { dkim } = await verifyMessage(withCrlf(corpus(`dkim/${file}`)), footballKeys)
    assert.ok(dkim.length > 0)
    for (const one of dkim) assert.equal(one.result, 'pass', `${file} ${one.algorithm}: ${one.reason}`)
  }
})

const pair = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const edRecord = `v=DKIM1; k=ed25519; p=${spki(pair.publicKey).subarray(-32).toString('base64')}`
const rsaRecord = `v=DKIM1; p=${spki(rsa.publicKey).toString('base64')}`
const edKey: SigningKey = {
  domain: 'crepes.example',
  selector: 'ed',
  algorithm: 'ed25519-sha256',
  privateKey: pair.privateKey,
}
const rsaKey: SigningKey = {
  domain: 'crepes.example',
  selector: 'rsa',
  algorithm: 'rsa-sha256',
  privateKey: pem(rsa.privateKey),
}
const edName = 'ed._domainkey.crepes.example'
const keys = { [edName]: edRecord, 'rsa._domainkey.crepes.example': rsaRecord }
const letter = withCrlf('From: alice@crepes.example\nSubject: Ketchup\n\nDo you like ketchup?\n')

async function signed(message = letter, with_: readonly SigningKey[] = [edKey]): Promise<string> {
  const signer = new DkimSigner({ headerOctets: 10_000 })
  signer.push(Buffer.from(message, 'latin1'))
  return (await signer.finish(with_, [], Date.UTC(2026, 0, 1))).join('') + message
}

async function verdict(message: string, txt: Readonly<Record<string, string | readonly string[]>> = keys) {
  const { dkim } = await verifyMessage(message, txt)
  return dkim.map(({ result, reason }) => (reason === null ? result : `${result}: ${reason}`))
}

test('what we sign verifies, through a relay that changes blanks and folds too', async () => {
  const message = await signed(letter, [edKey, rsaKey])
  assert.deepEqual(await verdict(message), ['pass', 'pass'])
  assert.deepEqual(await verdict(message.replace('Subject: Ketchup', 'SUBJECT:\r\n\tKetchup  ')), [
    'pass',
    'pass',
  ])
})

test('what is changed on the way fails, and the reason is told', async () => {
  const message = await signed()
  assert.deepEqual(await verdict(message.replace('Do you', 'Did you')), ['fail: body hash did not verify'])
  const failed = ['fail: signature did not verify']
  assert.deepEqual(await verdict(message.replace('Ketchup', 'Mustard')), failed)
  // A second field of a name that is signed once more than it was there.
  assert.deepEqual(await verdict(message.replace('\r\n\r\n', '\r\nSubject: Mustard\r\n\r\n')), failed)
  assert.deepEqual(await verdict(message.replace('\r\n\r\n', '\r\nTo: Bob\r\n\r\n')), failed)
})

const badFields: [change: (field: string) => string, verdict: string][] = [
  [(field) => field.replace('v=1;', ''), 'neutral: signature missing required tag v='],
  [(field) => field.replace('v=1;', 'v=2;'), 'neutral: incompatible version'],
  [(field) => field.replace('v=1;', 'v=1; v=1;'), 'neutral: signature syntax error'],
  [
    (field) => field.replace('a=ed25519-sha256', 'a=rsa-sha1'),
    'permerror: rsa-sha1 is not accepted any more',
  ],
  [(field) => field.replace('a=ed25519-sha256', 'a=rot13'), 'permerror: unknown algorithm'],
  [(field) => field.replace(/h=from:from:/, 'h='), 'neutral: From field not signed'],
  [
    (field) => field.replace('s=ed;', 's=ed; i=@burgers.example;'),
    'neutral: domain mismatch: i= is not within d=',
  ],
  [(field) => field.replace('s=ed;', 's=ed; q=carrier/pigeon;'), 'neutral: unknown query method'],
  [(field) => field.replace('s=ed;', 's=ed; x=5;'), 'neutral: signature syntax error: x= is not after t='],
  [(field) => field.replace('c=relaxed', 'c=loose'), 'neutral: signature syntax error: c='],
  [(field) => field.replace(/b=[^;]*$/, 'b=?;\r\n'), 'neutral: signature syntax error: b='],
  [(field) => field.replace(/b=[^;]*$/, `b=${'A'.repeat(100_000)};\r\n`), 'neutral: field over 16384 octets'],
  [(field) => field.replace('s=ed;', 's=gone;'), 'permerror: no key for signature'],
]

for (const [change, expected] of badFields) {
  test(`a DKIM-Signature is void: ${expected}`, async () => {
    const message = await signed()
    const field = message.slice(0, message.indexOf('From:'))
    assert.deepEqual(await verdict(change(field) + message.slice(field.length)), [expected])
  })
}

const badKeys: [record: string | readonly string[], verdict: string][] = [
  ['v=DKIM1; k=ed25519; p=', 'permerror: key revoked'],
  ['v=DKIM2; k=ed25519; p=AAAA', 'permerror: key syntax error: v='],
  ['k=ed25519', 'permerror: key syntax error: no p='],
  [`${edRecord}; h=sha1`, 'permerror: inappropriate hash algorithm'],
  [`${edRecord}; s=tlsrpt`, 'permerror: key is not for mail'],
  ['v=DKIM1; k=ed25519; p=AAAA', 'permerror: key syntax error: p= is not 32 octets'],
  [rsaRecord, 'permerror: inappropriate key algorithm'],
  ['hello', 'permerror: key syntax error'],
  [['hello', edRecord], 'pass'],
  [[edRecord, 'hello'], 'pass'],
  [`${edRecord}; s=email; h=sha256:sha1; n=note; x=unknown`, 'pass'],
]

for (const [record, expected] of badKeys) {
  test(`a key record ${JSON.stringify(record).slice(0, 60)}: ${expected}`, async () => {
    assert.deepEqual(await verdict(await signed(), { [edName]: record }), [expected])
  })
}

test('a key with s=tlsrpt is for reports about TLS that say so under its signature, RFC 8460 §3', async () => {
  const key = { [edName]: `${edRecord}; s=tlsrpt` }
  const report = `TLS-Report-Domain: hamburger.example\r\nTLS-Report-Submitter: crepes.example\r\n${letter}`
  const message = await signed(report)
  assert.match(message, /[ :]tls-report-domain[:;]/)
  assert.deepEqual(await verdict(message, key), ['pass'])
  assert.deepEqual(await verdict(message, { [edName]: `${edRecord}; s=email` }), ['pass'])
  const other = `TLS-Report-Domain: hamburger.example\r\n${await signed(letter)}`
  assert.deepEqual(await verdict(other, key), ['permerror: key is not for mail'])
})

test('RSA keys under 1,024 bits and with absurd exponents are not accepted, RFC 8301 §3.2', async () => {
  const message = await signed(letter, [rsaKey])
  const small = generateKeyPairSync('rsa', { modulusLength: 768 }).publicKey
  const name = 'rsa._domainkey.crepes.example'
  assert.deepEqual(await verdict(message, { [name]: `p=${spki(small).toString('base64')}` }), [
    'permerror: key of 768 bits is too short',
  ])
  const { n } = rsa.publicKey.export({ format: 'jwk' })
  const der = spkiOfExponent(Buffer.from(n!, 'base64url'), Buffer.alloc(200, 0x7f))
  assert.deepEqual(await verdict(message, { [name]: `p=${der.toString('base64')}` }), [
    'permerror: key has too long an exponent',
  ])
})

/** RSAPublicKey, RFC 8017 A.1.1; read too. */
function spkiOfExponent(modulus: Buffer, exponent: Buffer): Buffer {
  const der = (tag: number, octets: Buffer): Buffer => {
    const length =
      octets.length < 128
        ? Buffer.of(octets.length)
        : Buffer.of(0x82, octets.length >> 8, octets.length & 255)
    return Buffer.concat([Buffer.of(tag), length, octets])
  }
  const integer = (octets: Buffer): Buffer => der(2, Buffer.concat([Buffer.of(0), octets]))
  return der(0x30, Buffer.concat([integer(modulus), integer(exponent)]))
}

test('an RSAPublicKey without its SubjectPublicKeyInfo is read as RFC 6376 §3.6.1 has it', async () => {
  const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64')
  assert.deepEqual(
    await verdict(await signed(letter, [rsaKey]), { 'rsa._domainkey.crepes.example': `p=${pkcs1}` }),
    ['pass'],
  )
})

test('t=s in the key asks for i= of the domain itself, and t=y is told', async () => {
  const { dkim } = await verifyMessage(await signed(), { [edName]: `${edRecord}; t=s:y` })
  assert.equal(dkim[0]?.result, 'pass')
  assert.equal(dkim[0]?.testing, true)
})

test('DNS that does not answer is temporary', async () => {
  const { dkim } = await verifyMessage(await signed(), {}, { dns: { [edName]: 'timeout' } })
  assert.deepEqual([dkim[0]?.result, dkim[0]?.reason], ['temperror', 'key unavailable: timeout'])
})

test('of hundreds of signatures ten are looked at, those of the author first', async () => {
  const own = await signed()
  const foreign = own.slice(0, own.indexOf('From:')).replace('d=crepes.example', 'd=burgers.example')
  const { dkim, dkimSkipped } = await verifyMessage(foreign.repeat(300) + own, keys)
  assert.equal(dkim.length, 10)
  // Past a hundred fields nothing is read at all.
  assert.equal(dkimSkipped, 291)
  const few = await verifyMessage(foreign.repeat(50) + own, keys)
  assert.deepEqual(
    few.dkim.slice(0, 2).map(({ result, domain }) => [result, domain]),
    [
      ['pass', 'crepes.example'],
      ['permerror', 'burgers.example'],
    ],
  )
})

test('a message without header, without signature, or with a header over the bound has no result', async () => {
  for (const message of [
    '',
    'Do you like ketchup?\r\n',
    letter,
    `From: a@b.example\r\nX: ${'x'.repeat(300_000)}\r\n\r\n`,
  ]) {
    assert.deepEqual((await verifyMessage(message, keys)).dkim, [])
  }
})

test('of hundreds of key records three are tried', async () => {
  const many = Array.from({ length: 300 }, (_, index) => `v=DKIM1; k=ed25519; n=${index}; p=`)
  assert.deepEqual(await verdict(await signed(), { [edName]: [...many, edRecord] }), [
    'permerror: key revoked',
  ])
  assert.deepEqual(await verdict(await signed(), { [edName]: [...many.slice(0, 2), edRecord] }), ['pass'])
})

/** What our signer never writes. @param tags Further tags, as l= and x=. */
async function signedByHand(tags: string, bodyOctets?: number): Promise<string> {
  const body = new BodyHash('relaxed', bodyOctets)
  body.push(Buffer.from('Do you like ketchup?\r\n'))
  const value = ` v=1; a=ed25519-sha256; c=relaxed/relaxed; d=crepes.example; s=ed; ${tags} h=from; bh=${body.finish().hash}; b=`
  const from = { name: 'From', value: ' alice@crepes.example', raw: 'From: alice@crepes.example' }
  const own = { name: 'DKIM-Signature', value, raw: `DKIM-Signature:${value}` }
  const text = signedText([from], own, 'relaxed')
  return `${own.raw}${await signText(text, pair.privateKey, 'ed25519-sha256')}\r\n${letter}`
}

test('l= under the length of the body is no evidence, docs/decisions/161', async () => {
  const part = 'policy: only 6 of 22 octets of the body are signed'
  assert.deepEqual(await verdict(await signedByHand('l=6;', 6)), [part])
  assert.deepEqual(await verdict(await signedByHand('l=22;', 22)), ['pass'])
  assert.deepEqual(await verdict(`${await signedByHand('l=22;', 22)}And buy this!\r\n`), [
    'policy: only 22 of 37 octets of the body are signed',
  ])
  assert.deepEqual(await verdict(await signedByHand('l=23;', 23)), ['permerror: l= is larger than the body'])
})

test('a signature that has expired is none, RFC 6376 §6.1.1', async () => {
  const now = Date.UTC(2026, 0, 1) / 1000
  assert.deepEqual(await verdict(await signedByHand(`t=1; x=${now - 1};`)), ['permerror: signature expired'])
  assert.deepEqual(await verdict(await signedByHand(`t=1; x=${now + 1};`)), ['pass'])
})

test('i= under d= is told, and not for a key with t=s', async () => {
  const message = await signedByHand('i=alice@kitchen.crepes.example;')
  const { dkim } = await verifyMessage(message, keys)
  assert.deepEqual([dkim[0]?.result, dkim[0]?.identity], ['pass', 'alice@kitchen.crepes.example'])
  assert.deepEqual(await verdict(message, { [edName]: `${edRecord}; t=s` }), [
    'permerror: domain mismatch: key says t=s',
  ])
})
