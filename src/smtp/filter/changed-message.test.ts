import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChangedMessage, fieldText } from './changed-message.ts'
import { HeadAndBody } from './head-and-body.ts'
import { KeeperPool } from './keeper.ts'

const line = fc.constantFrom(
  'Subject: a',
  'X-A: b',
  ' folded',
  '',
  '',
  'no field',
  'X-A:',
  'body',
  '.',
  'x'.repeat(90),
)
const messages = fc.array(line, { maxLength: 12 }).map((lines) => lines.map((one) => `${one}\r\n`).join(''))

function cut(text: string, pieceOctets: number) {
  const head = new HeadAndBody(10_000)
  const octets = Buffer.from(text, 'latin1')
  const body: Uint8Array[] = []
  for (let at = 0; at < octets.length; at += pieceOctets)
    body.push(Buffer.from(head.push(octets.subarray(at, at + pieceOctets))))
  body.push(head.finish())
  return { header: head.header!, separator: head.separator, body: Buffer.concat(body).toString('latin1') }
}

test('the same message cut anywhere has the same header and body, and nothing is lost', () => {
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 40 }), (text, pieceOctets) => {
      const whole = cut(text, 100_000)
      assert.deepEqual(cut(text, pieceOctets), whole)
      assert.equal(whole.header + whole.separator + whole.body, text)
      assert.doesNotMatch(whole.header, /(?:^|\r\n)\r\n/)
    }),
  )
})

test('a message without a change comes out as it went in', () => {
  fc.assert(
    fc.property(messages, (text) => {
      const { header, separator, body } = cut(text, 100_000)
      const message = new ChangedMessage(header, separator, Buffer.from(body, 'latin1'))
      assert.equal(message.octets().toString('latin1'), text)
    }),
  )
})

test('a header over the bound has no end, and is not kept', () => {
  const head = new HeadAndBody(10)
  head.push(Buffer.from('Subject: too long\r\n'))
  assert.ok(head.overLimit)
  assert.equal(head.push(Buffer.from('\r\nbody\r\n')).length, 0)
  assert.equal(head.finish().length, 0)
  assert.equal(head.header, null)
})

test('no value of a field begins another one or ends the header', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('\r', '\n', ' ', '\t', 'a', ':', '\0') }), (value) => {
      for (const verbatim of [false, true])
        assert.match(fieldText('X-A', value, verbatim), /^X-A:[^\r\n\0]*(?:\r\n[ \t][^\r\n\0]*)*\r\n$/)
    }),
  )
})

test('messages are kept within the bound of one and of all', () => {
  const pool = new KeeperPool(30)
  const keeper = pool.keeper(20)
  const [one, other, third] = [keeper.keep(), keeper.keep(), keeper.keep()]
  one.push(Buffer.alloc(20))
  other.push(Buffer.alloc(10))
  assert.equal(one.lost, null)
  one.push(Buffer.alloc(1))
  assert.equal(one.lost, 'too-large')
  assert.equal(pool.usedOctets, 10)
  third.push(Buffer.alloc(20))
  other.push(Buffer.alloc(1))
  assert.equal(other.lost, 'no-room')
  assert.equal(other.octets, 0)
  third.release()
  third.release()
  assert.equal(pool.usedOctets, 0)
})
