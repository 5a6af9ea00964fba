import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encode } from 'dns-packet'
import { seededRandom } from '../base/random.ts'
import { answerPacket } from './authority-answer.ts'
import { encodeQuestion, readResponse } from './response.ts'
import { parseResolvConf } from './system-servers.ts'

const question = { name: 'a.example', type: 'MX' } as const
const answer = encode({
  type: 'response',
  id: 7,
  questions: [question],
  answers: [
    { type: 'CNAME', name: 'A.example', data: 'b.example', ttl: 5 },
    { type: 'MX', name: 'b.example', data: { preference: 1, exchange: 'mx.example' }, ttl: 0xffffffff },
    { type: 'MX', name: 'c.example', data: { preference: 1, exchange: 'not.asked.example' }, ttl: 1 },
  ],
})

test('records of other names are passed over, and a TTL with its first bit set counts as 0', () => {
  assert.deepEqual(readResponse(answer, 7, question), {
    kind: 'answer',
    status: 'found',
    records: [{ preference: 1, exchange: 'mx.example' }],
    ttl: 0,
    authentic: false,
    alias: null,
  })
})

test('no octets bring out anything but an answer, a failure or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
      const packet = Buffer.concat([Uint8Array.of(0, 7, 0x80, 0), octets])
      readResponse(packet, 7, question)
      answerPacket(Buffer.from(octets), [], { octetsMax: 512, authentic: false })
    }),
    { numRuns: 2_000, seed: 1 },
  )
})

test('a damaged packet is an answer, a failure or nothing', () => {
  const random = seededRandom(42)
  const zone = { origin: 'a.example', records: { 'a.example': { TXT: ['x'] } } }
  for (const original of [answer, encodeQuestion(7, question, true)]) {
    for (let round = 0; round < 5_000; round++) {
      const [where = 0, what = 0, cut = 0] = random.bytes(3)
      const packet = Buffer.from(original.subarray(0, cut < 64 ? cut : original.length))
      if (packet.length > 2) packet[2 + (where % (packet.length - 2))] = what
      readResponse(packet, 7, question)
      answerPacket(packet, [zone], { octetsMax: 512, authentic: false })
    }
  }
})

test('a chain of pointers that every record follows anew costs little', () => {
  const packet = Buffer.alloc(16_384)
  packet.writeUInt16BE(7, 0)
  packet.writeUInt16BE(0x8000, 2)
  // A record of a type that nobody knows; its data is the chain, each pointer to the one before.
  const chain = 23
  const chainEnd = 8_191
  packet.writeUInt16BE(999, 13)
  packet.writeUInt16BE(1, 15)
  packet.writeUInt16BE(chainEnd - chain, 21)
  for (let at = chain + 2; at < chainEnd; at += 2) packet.writeUInt16BE(0xc000 | (at - 2), at)
  let records = 1
  for (let at = chainEnd; at + 12 <= packet.length; at += 12, records++) {
    packet.writeUInt16BE(0xc000 | (chainEnd - 2), at)
    packet.writeUInt16BE(999, at + 2)
  }
  packet.writeUInt16BE(records, 6)
  assert(records > 600)
  const start = performance.now()
  assert.equal(readResponse(packet, 7, question), null)
  assert(performance.now() - start < 500)
})

test('the servers of resolv.conf, three at most, this machine when there are none', () => {
  const text =
    '# x\nnameserver 192.0.2.1\n nameserver ::1\nnameserver a.example\noptions edns0\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n'
  assert.deepEqual(
    parseResolvConf(text).map((server) => server.address),
    ['192.0.2.1', '::1', '192.0.2.2'],
  )
  assert.deepEqual(parseResolvConf(''), [{ address: '127.0.0.1', port: 53 }])
})
