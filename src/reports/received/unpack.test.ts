import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { BadReport } from '../bad-report.ts'
import { unpack } from './unpack.ts'
import { zip } from './zip-fixture.ts'

const text = '<feedback/>'.repeat(20)
const shown = (octets: Uint8Array, most = 1_000): string => Buffer.from(unpack(octets, most)).toString()

test('what a report is packed in does not matter', () => {
  for (const packed of [
    Buffer.from(text),
    gzipSync(text),
    deflateSync(text),
    zip({ 'report.xml': text }),
    zip({ 'report.xml': text }, 0),
    zip({ 'folder/': '', 'README.txt': 'x', 'folder/a!b!1!2.XML': text, 'z.xml': 'y' }),
    zip({ report: text }),
    Buffer.concat([zip({ 'report.xml': text }), Buffer.from('a comment that the end does not count')]),
  ]) {
    assert.equal(shown(packed), text)
  }
})

test('a bomb stops at the bound', () => {
  const zeros = Buffer.alloc(50_000_000)
  const why = { name: 'BadReport', message: /longer than 1000 octets/ }
  assert.throws(() => unpack(gzipSync(zeros), 1_000), why)
  assert.throws(() => unpack(deflateSync(zeros), 1_000), why)
  assert.throws(() => unpack(zip({ 'a.xml': zeros }), 1_000), why)
  assert.throws(() => unpack(zip({ 'a.xml': zeros.subarray(0, 2_000) }, 0), 1_000), why)
  assert.throws(() => unpack(Buffer.alloc(1_001, 'x'), 1_000), why)
  // What the archive says of the length is not asked.
  const lying = zip({ 'a.xml': zeros })
  lying.writeUInt32LE(10, lying.length - 22 - 46 - 5 + 24)
  assert.throws(() => unpack(lying, 1_000), why)
})

test('an archive of many files, an encrypted one and a broken one are refused', () => {
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`${n}.xml`, 'x']))
  assert.throws(() => shown(zip(many)), /more than 20 files/)
  const encrypted = zip({ 'a.xml': text })
  encrypted[encrypted.length - 22 - 46 - 5 + 8] = 1
  assert.throws(() => shown(encrypted), /encrypted/)
  assert.throws(() => shown(zip({ 'folder/': '' })), /archive is empty/)
  assert.throws(() => shown(zip({ 'a.xml': text }).subarray(0, 60)), /broken/)
  assert.throws(() => shown(gzipSync(text).subarray(0, 20)), /cannot be decompressed/)
})

test('an archive changed anywhere brings out octets or a refusal', () => {
  const good = [zip({ 'a.xml': text, 'b.xml': text }), gzipSync(text)]
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.nat(400),
      fc.uint8Array({ maxLength: 8 }),
      fc.nat(8),
      (from, at, put, gone) => {
        const changed = Buffer.concat([from.subarray(0, at), put, from.subarray(at + gone)])
        try {
          assert.ok(unpack(changed, 1_000).length <= 1_000)
        } catch (error) {
          assert.ok(error instanceof BadReport, String(error))
        }
      },
    ),
    { numRuns: 2_000 },
  )
})
