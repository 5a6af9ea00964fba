import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { DkimSigner, type SigningKey } from './signer.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ed25519 = generateKeyPairSync('ed25519')
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const rsaKey: SigningKey = {
  domain: 'crepes.example',
  selector: '2026a',
  algorithm: 'rsa-sha256',
  privateKey: pem(rsa.privateKey),
}
const edKey: SigningKey = {
  domain: 'crepes.example',
  selector: '2026b',
  algorithm: 'ed25519-sha256',
  privateKey: ed25519.privateKey,
}
const message = [
  'From: Alice <alice@crepes.example>',
  'To: Bob <bob@hamburger.example>',
  'Subject:  Do you   like',
  '\tketchup?',
  '',
  'Yes.  Do you? ',
  '',
  '',
].join('\r\n')
const now = Date.UTC(2026, 0, 1)

async function sign(pieces: readonly string[], keys: readonly SigningKey[], above: readonly string[] = []) {
  const signer = new DkimSigner({ headerOctets: 10_000 })
  for (const piece of pieces) signer.push(Buffer.from(piece, 'latin1'))
  return signer.finish(keys, above, now)
}

const tag = (field: string, name: string): string =>
  new RegExp(`[ :;\\n]${name}=([^;]*)`).exec(field)![1]!.replace(/\s/g, '')

test('a letter is signed with each key, and the signature covers what RFC 6376 §3.7 says', async () => {
  const [first, second] = await sign([message], [rsaKey, edKey], ['Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n'])
  const body = createHash('sha256').update('Yes. Do you?\r\n').digest('base64')
  for (const field of [first!, second!]) {
    assert.ok(field.startsWith('DKIM-Signature: v=1; a='))
    for (const line of field.split('\r\n')) assert.ok(line.length <= 78, line)
    assert.equal(tag(field, 'bh'), body)
    assert.equal(tag(field, 't'), String(now / 1000))
    assert.match(tag(field, 'h'), /^from:from:sender:reply-to:to:to:cc:subject:subject:date:date:message-id:/)
    const unfolded = field
      .replace(/\r\n/g, '')
      .replace(/[ \t]+/g, ' ')
      .slice('DKIM-Signature: '.length)
    const text = [
      'from:Alice <alice@crepes.example>',
      'to:Bob <bob@hamburger.example>',
      'subject:Do you like ketchup?',
      'date:Thu, 1 Jan 2026 00:00:00 +0000',
      `dkim-signature:${unfolded.replace(/ b=.*/, ' b=')}`,
    ].join('\r\n')
    const signature = Buffer.from(tag(field, 'b'), 'base64')
    const hash = createHash('sha256').update(text).digest()
    const good =
      tag(field, 'a') === 'rsa-sha256'
        ? verify('sha256', Buffer.from(text), createPublicKey(rsa.privateKey), signature)
        : verify(null, hash, ed25519.publicKey, signature)
    assert.ok(good)
  }
  assert.equal(tag(first!, 's'), '2026a')
  assert.equal(tag(second!, 'a'), 'ed25519-sha256')
})

test('the pieces in which a letter comes do not matter', async () => {
  const [whole] = await sign([message], [edKey])
  await fc.assert(
    fc.asyncProperty(fc.nat(message.length), fc.nat(message.length), async (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      const pieces = [message.slice(0, low), message.slice(low, high), message.slice(high)]
      assert.deepEqual(await sign(pieces, [edKey]), [whole])
    }),
  )
})

test('nothing is signed without a From field, with a header over its bound, or without a key', async () => {
  assert.deepEqual(await sign(['Do you like ketchup?\r\n'], [edKey]), [])
  assert.deepEqual(await sign([`From: a@crepes.example\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`], [edKey]), [])
  assert.deepEqual(await sign([message], []), [])
})

test('a key of another kind than its algorithm is an error', async () => {
  const wrong: SigningKey = { ...edKey, privateKey: pem(rsa.privateKey) }
  await assert.rejects(sign([message], [wrong]), /Cannot sign with ed25519-sha256: the key is rsa/)
})
