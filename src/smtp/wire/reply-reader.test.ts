import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../base/random.ts'
import { type Reply, formatReply } from './reply.ts'
import { ReplyError, ReplyReader } from './reply-reader.ts'

function readAll(...chunks: (string | Uint8Array)[]): Reply[] {
  const reader = new ReplyReader()
  const replies: Reply[] = []
  for (const chunk of chunks) {
    reader.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
    for (let reply = reader.next(); reply !== null; reply = reader.next()) {
      const { code, status, lines } = reply
      replies.push({ code, status, lines })
    }
  }
  return replies
}

const accepted: [octets: string, reply: Reply][] = [
  ['250 OK\r\n', { code: 250, status: null, lines: ['OK'] }],
  ['250\r\n', { code: 250, status: null, lines: [''] }],
  ['250 \r\n', { code: 250, status: null, lines: [''] }],
  ['250 2.1.0 Originator ok\r\n', { code: 250, status: '2.1.0', lines: ['Originator ok'] }],
  ['550-5.1.1 No such\r\n550 5.1.1 user\r\n', { code: 550, status: '5.1.1', lines: ['No such', 'user'] }],
  ['550 5.1.1\r\n', { code: 550, status: '5.1.1', lines: [''] }],
  ['550 4.1.1 odd\r\n', { code: 550, status: null, lines: ['4.1.1 odd'] }],
  ['550 5.1.1.1 odd\r\n', { code: 550, status: null, lines: ['5.1.1.1 odd'] }],
  ['250-a\r\n250-SIZE 10\r\n250 B\r\n', { code: 250, status: null, lines: ['a', 'SIZE 10', 'B'] }],
  ['250-\r\n250\r\n', { code: 250, status: null, lines: ['', ''] }],
  ['699 x\r\n'.replace('699', '299'), { code: 299, status: null, lines: ['x'] }],
  ['250 caf\xc3\xa9\r\n', { code: 250, status: null, lines: ['caf\xc3\xa9'] }],
  ['250 a\rb\0c\x1b[31m\r\n', { code: 250, status: null, lines: ['a?b?c?[31m'] }],
  [`250 ${'x'.repeat(2_042)}\r\n`, { code: 250, status: null, lines: ['x'.repeat(2_042)] }],
]
for (const [octets, reply] of accepted) {
  test(`a reply is read: ${JSON.stringify(octets.slice(0, 40))}`, () =>
    assert.deepEqual(readAll(octets), [reply]))
}

const refused = [
  'HTTP/1.1 400 Bad Request\r\n',
  '25 OK\r\n',
  '2500 OK\r\n',
  '150 x\r\n',
  '600 x\r\n',
  '000 x\r\n',
  '250_x\r\n',
  '\r\n',
  ' 250 OK\r\n',
  '250 OK\n',
  '250-OK\r\n550 no\r\n',
  `250 ${'x'.repeat(2_043)}\r\n`,
  '250-x\r\n'.repeat(101),
  `250-${'x'.repeat(2_000)}\r\n`.repeat(40),
  'x'.repeat(70_000),
  '\x16\x03\x01\x02\x00\r\n',
]
for (const octets of refused) {
  test(`no reply: ${JSON.stringify(octets.slice(0, 30))}, ${octets.length} octets`, () =>
    assert.throws(() => readAll(octets), ReplyError))
}

test('an endless line and endless replies do not fill the memory', () => {
  const reader = new ReplyReader()
  const chunk = Buffer.alloc(1_000, 120)
  assert.throws(() => {
    for (let i = 0; i < 100; i++) {
      reader.push(chunk)
      reader.next()
    }
  }, ReplyError)
})

const replies = fc.array(
  fc.record({
    code: fc.integer({ min: 200, max: 599 }),
    lines: fc.array(fc.stringMatching(/^[A-Za-z<>@. -]{0,30}$/), { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 6 },
)

test('what is written is read again, cut anywhere', () => {
  fc.assert(
    fc.property(replies, fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }), (list, cuts) => {
      const wanted = list.map(({ code, lines }) => ({ code, status: `${String(code)[0]}.0.0`, lines }))
      // RFC 2034 has no class 3.
      const kept = wanted.map((reply) =>
        reply.code >= 300 && reply.code < 400 ? { ...reply, status: null } : reply,
      )
      const octets = Buffer.from(kept.map((reply) => formatReply(reply, true)).join(''), 'latin1')
      const chunks: Uint8Array[] = []
      let at = 0
      for (const cut of cuts) chunks.push(octets.subarray(at, (at += cut)))
      chunks.push(octets.subarray(at))
      assert.deepEqual(readAll(...chunks), kept)
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('no octets bring out anything but replies or a ReplyError, the same however they are cut', () => {
  const random = seededRandom(20)
  const alphabet = Buffer.from('2345 -\r\n\r\n0123456789.x\0\xff', 'latin1')
  const result = (chunks: Uint8Array[]): string => {
    try {
      return JSON.stringify(readAll(...chunks))
    } catch (error) {
      assert(error instanceof ReplyError)
      return 'error'
    }
  }
  for (let round = 0; round < 5_000; round++) {
    const octets = Buffer.from(
      random.bytes(1 + (round % 60)).map((octet) => alphabet[octet % alphabet.length]!),
    )
    const whole = result([octets])
    assert.equal(result([...octets].map((octet) => Uint8Array.of(octet))), whole)
  }
})
