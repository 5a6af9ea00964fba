import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../../wire/reply.ts'
import { readAnswer } from './answer.ts'
import { readAgreement } from './negotiate.ts'
import { MilterFault, PacketReader, texts, writePacket } from './packet.ts'

function readAll(reader: PacketReader, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = []
  for (const chunk of chunks)
    for (const { letter, data } of reader.push(chunk)) found.push(letter + data.toString('latin1'))
  return found
}

test('the same octets cut anywhere give the same packets', () => {
  const packets = fc.array(fc.tuple(fc.constantFrom('A', 'H', 'B'), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 6,
  })
  const property = fc.property(packets, fc.array(fc.nat(200)), (all, cuts) => {
    const stream = Buffer.concat(all.map(([letter, data]) => writePacket(letter as 'A', data)))
    const ends = [...new Set(cuts.map((cut) => Math.min(cut, stream.length)))].sort((a, b) => a - b)
    const chunks = [0, ...ends].map((from, index) => stream.subarray(from, ends[index] ?? stream.length))
    const expected = all.map(([letter, data]) => letter + Buffer.from(data).toString('latin1'))
    assert.deepEqual(readAll(new PacketReader(100), chunks), expected)
  })
  fc.assert(property)
})

test('a packet over the bound, or without a letter, is a fault before its octets have come', () => {
  const long = Buffer.from([0, 0, 1, 0])
  assert.throws(() => readAll(new PacketReader(255), [long]), MilterFault)
  assert.deepEqual(readAll(new PacketReader(256), [long]), [])
  assert.throws(() => readAll(new PacketReader(255), [Buffer.from([0, 0, 0, 0])]), MilterFault)
})

test('texts carry no NUL of their own', () => {
  assert.equal(texts('a\0b', ''), 'ab\0\0')
})

test('any octets from a milter are an answer or a fault', () => {
  const letters = fc.constantFrom(...'catrdspy4fhimbe+2-qOxz\0')
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ maxLength: 40 }).map((text) => Buffer.from(`${text}\0`)),
  )
  fc.assert(
    fc.property(letters, data, (letter, octets) => {
      for (const read of [readAnswer, readAgreement]) {
        try {
          const value = read({ letter, data: Buffer.from(octets) })
          assert.equal(typeof value, 'object')
        } catch (error) {
          assert.ok(error instanceof MilterFault, String(error))
        }
      }
    }),
  )
})

const read = (text: string) => readAnswer({ letter: text[0]!, data: Buffer.from(text.slice(1), 'latin1') })

test('replies of a milter become ours, in one line or several', () => {
  for (const [text, code, status, lines] of [
    ['y550 5.7.1 no spam\0', 550, '5.7.1', ['no spam']],
    ['y451 later\0', 451, '4.7.1', ['later']],
    ['y554-5.6.0 100%% bad\r\n554 5.6.0 two\0', 554, '5.6.0', ['100% bad', 'two']],
  ] as const) {
    const answer = read(text)
    assert.ok(answer.kind === 'reply' && answer.refusal instanceof Refusal)
    assert.deepEqual(answer.refusal.reply, { code, status, lines })
  }
  for (const text of ['y250 fine\0', 'ynonsense\0', 'y\0', 'y550 5.7.1 x'])
    assert.throws(() => read(text), MilterFault)
})

test('changes are read with their numbers and texts', () => {
  assert.deepEqual(read('hX-A\0one\0'), { kind: 'add-header', name: 'X-A', value: 'one' })
  assert.deepEqual(read('i\0\0\0\x01X-A\0one\0'), {
    kind: 'insert-header',
    index: 1,
    name: 'X-A',
    value: 'one',
  })
  assert.deepEqual(read('m\0\0\0\x02X-A\0\0'), { kind: 'change-header', index: 2, name: 'X-A', value: '' })
  assert.deepEqual(read('+<a@b.example>\0'), { kind: 'add-recipient', path: 'a@b.example' })
  assert.deepEqual(read('2<a@b.example>\0NOTIFY=NEVER\0'), { kind: 'add-recipient', path: 'a@b.example' })
  assert.deepEqual(read('e<>\0SIZE=3\0'), { kind: 'sender', path: '' })
  assert.deepEqual(read('qbecause\0'), { kind: 'quarantine', reason: 'because' })
  assert.throws(() => read('+<a@b.example>\r\nDATA\0'), MilterFault)
  assert.throws(() => read('ea\nb@c.example\0'), MilterFault)
  // A name with a line end in it would begin a field of the milter's choice.
  assert.throws(() => read('hX:\r\nEvil\0one\0'), MilterFault)
})

test('a milter that wants what was not offered, or another version, is not spoken to', () => {
  const negotiation = (...numbers: number[]) => {
    const data = Buffer.alloc(12)
    for (const [index, number] of numbers.entries()) data.writeUInt32BE(number, 4 * index)
    return { letter: 'O', data }
  }
  assert.throws(() => readAgreement(negotiation(6, 0x200, 0)), MilterFault)
  assert.throws(() => readAgreement(negotiation(7, 0, 0)), MilterFault)
  assert.equal(readAgreement(negotiation(6, 0x1ff, 0x3fff_ffff)).steps, 0x1f_ffff)
})
