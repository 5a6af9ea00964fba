import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { BodyHash, type Canonicalisation } from './body-hash.ts'

/** The rules as they are written, for a body in one piece. RFC 6376 §3.4.3, §3.4.4. */
function canonical(body: string, kind: Canonicalisation): string {
  if (kind === 'simple') return body.replace(/(?:\r\n)+$/, '') + '\r\n'
  const text = body
    .split('\r\n')
    .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
    .join('\r\n')
    .replace(/(?:\r\n)+$/, '')
  return text === '' ? '' : text + '\r\n'
}

function hash(pieces: readonly string[], kind: Canonicalisation, octetsMax?: number) {
  const body = new BodyHash(kind, octetsMax)
  for (const piece of pieces) body.push(Buffer.from(piece, 'latin1'))
  return body.finish()
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64')

function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort((a, b) => a - b)
  return [...places, text.length].map((to, index) => text.slice(index === 0 ? 0 : places[index - 1], to))
}

for (const kind of ['simple', 'relaxed'] as const) {
  test(`a ${kind} body is hashed as the rules say, in whatever pieces it comes`, () => {
    const piece = fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'a', 'bc', '  ', ' \r\n', '\r\n\r\n', '\xa0')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(60)), (pieces, cuts) => {
        const text = pieces.join('')
        const whole = canonical(text, kind)
        const digest = hash(cutAt(text, cuts), kind)
        assert.equal(digest.hash, sha256(whole), JSON.stringify(text))
        assert.equal(digest.octets, whole.length)
      }),
      { numRuns: 2_000 },
    )
  })

  test(`a ${kind} body of l= octets`, () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(fc.nat(30)), (octetsMax, cuts) => {
        const text = 'one two\r\n\r\nthree  four \r\n\r\n'
        const whole = canonical(text, kind)
        const digest = hash(cutAt(text, cuts), kind, octetsMax)
        assert.equal(digest.hash, sha256(whole.slice(0, octetsMax)))
        assert.equal(digest.hashedOctets, Math.min(whole.length, octetsMax))
      }),
    )
  })

  test(`thousands of empty lines in a ${kind} body count only when something follows`, () => {
    const lines = '\r\n'.repeat(20_000)
    assert.equal(hash(['a', lines], kind).hash, sha256('a\r\n'))
    assert.equal(hash(['a', lines, 'b'], kind).hash, sha256(`a${lines}b\r\n`))
    assert.equal(hash([lines, 'b', lines], kind).hash, sha256(`${lines}b\r\n`))
    assert.equal(hash([lines], kind).hash, sha256(kind === 'simple' ? '\r\n' : ''))
  })

  test(`a long ${kind} body`, () => {
    const text = `${'word  word\r\n'.repeat(10_000)}${'x'.repeat(40_000)} \r\n`
    for (const octets of [1_000, 16_383, 16_384, 16_385, 65_536]) {
      const cuts = Array.from({ length: Math.ceil(text.length / octets) }, (_, index) => index * octets)
      assert.equal(hash(cutAt(text, cuts), kind).hash, sha256(canonical(text, kind)))
    }
  })
}

test('the empty body, RFC 6376 §3.4.3 and §3.4.4', () => {
  assert.equal(hash([], 'simple').hash, 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=')
  assert.equal(hash([], 'relaxed').hash, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
})

test('RFC 6376 §3.4.5, the examples of canonicalisation', () => {
  const body = ' C \r\nD \t E\r\n\r\n\r\n'
  assert.equal(hash([body], 'relaxed').hash, sha256(' C\r\nD E\r\n'))
  assert.equal(hash([body], 'simple').hash, sha256(' C \r\nD \t E\r\n'))
})
