/** `POP3_FUZZ_SEED=n POP3_FUZZ_RUNS=n` replay a run or make it longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../../src/pop3/wire/reply.ts'
import { parseCommandLine, parseOptionalMessageNumber, parseTop } from '../../src/pop3/wire/command-line.ts'
import { DotStuffer } from '../../src/pop3/wire/dot-stuffer.ts'
import { TopReader } from '../../src/pop3/wire/top-reader.ts'
import { answer, Session } from '../../src/pop3/server/session.ts'
import { mechanisms } from '../../src/sasl/mechanisms.ts'
import { normaliseAddress } from '../../src/store/address.ts'
import { speakTo } from '../harness/replay.ts'
import { openLectureWorld } from '../transcripts/pop3-world.ts'

const seed = Number(process.env['POP3_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const numRuns = Number(process.env['POP3_FUZZ_RUNS'] ?? 300)
console.log(`pop3 fuzz seed ${seed}`)

function check(property: fc.IRawProperty<unknown>, runs = numRuns): Promise<void> | void {
  return fc.assert(property as fc.IAsyncProperty<unknown>, { seed, numRuns: runs })
}

/** Any octets, one char each. */
const octets = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
/** Octets that matter more often than others. */
const nearly = fc
  .array(fc.constantFrom('.', '\r', '\n', '\r\n', ' ', 'a', '\0', '=', '1', '-', '\xff', 'A: b\r\n'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))
const anyText = fc
  .array(fc.nat({ max: 0x10ffff }), { maxLength: 20 })
  .map((codes) => String.fromCodePoint(...codes))
const addressLike = fc
  .array(
    fc.constantFrom('a', 'B', '.', '"', '@', 'ü', 'u\u0308', '\\', ' ', '[192.0.2.1]', 'İ', 'xn--', '-'),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''))
const verb = fc.constantFrom(
  ...[
    'USER',
    'PASS',
    'AUTH',
    'STAT',
    'LIST',
    'UIDL',
    'RETR',
    'TOP',
    'DELE',
    'NOOP',
    'RSET',
    'CAPA',
    'STLS',
    'quit',
  ],
)
const argument = fc.oneof(
  octets,
  nearly,
  fc.constantFrom('', 'bob', 'hungry', '1', '2', '1 0', '0', '99', 'PLAIN'),
)
const line = fc.oneof(
  octets,
  fc.tuple(verb, argument).map(([word, rest]) => (rest === '' ? word : `${word} ${rest}`)),
)

function cut(text: string, length: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < text.length; at += length)
    pieces.push(Buffer.from(text.slice(at, at + length), 'latin1'))
  return pieces
}

test('No line brings out of the parsers anything but a value or a Refusal', () =>
  check(
    fc.property(line, (text) => {
      for (const parse of [parseCommandLine, parseOptionalMessageNumber, parseTop]) {
        try {
          parse(text)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
        }
      }
    }),
  ))

test('No octets bring out of a mechanism anything but a step', () =>
  check(
    fc.property(
      fc.array(fc.oneof(octets, nearly), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (messages, initial) => {
        for (const mechanism of mechanisms.values()) {
          const exchange = mechanism.start()
          let step = exchange.begin(initial ? messages[0]! : null)
          for (const message of messages) {
            if (step.kind === 'challenge') step = exchange.next(message)
          }
          assert.ok(['challenge', 'credentials', 'malformed'].includes(step.kind))
        }
      },
    ),
  ))

test('What a client takes off is what the message was, however it was cut', () =>
  check(
    fc.property(nearly, fc.integer({ min: 1, max: 70 }), (message, length) => {
      const stuffer = new DotStuffer()
      const sent = cut(message, length).map((piece) => Buffer.from(stuffer.push(piece)).toString('latin1'))
      const reply = sent.join('') + stuffer.end()
      assert.ok(reply.endsWith('.\r\n'))
      // No agent, whatever it takes for a line end, sees the end before the end.
      const lines = reply.split(/\r\n|\r|\n/)
      assert.equal(lines.indexOf('.'), lines.length - 2)
      const received = reply.slice(0, -3).replace(/(^|[\r\n])\./g, '$1')
      assert.ok(received === message || received === `${message}\r\n`)
    }),
  ))

test('The top of a message is its beginning, and does not depend on how it was cut', () =>
  check(
    fc.property(nearly, fc.integer({ min: 1, max: 70 }), fc.nat({ max: 5 }), (message, length, lines) => {
      const read = (pieces: Buffer[]): string => {
        const top = new TopReader(lines)
        return pieces.map((piece) => Buffer.from(top.push(piece)).toString('latin1')).join('')
      }
      const whole = read(cut(message, message.length + 1))
      assert.equal(read(cut(message, length)), whole)
      assert.ok(message.startsWith(whole))
    }),
  ))

test('A normal address is normal', () =>
  check(
    fc.property(fc.oneof(anyText, nearly, addressLike), (text) => {
      const address = normaliseAddress(text)
      if (address !== null) assert.equal(normaliseAddress(address), address)
    }),
  ))

test('No conversation brings a session down, or deletes without DELE and QUIT', async () => {
  await using world = await openLectureWorld()
  const peer = { remoteAddress: '127.0.0.1', remoteName: '127.0.0.1:1', localName: '127.0.0.1:110' }
  await check(
    fc.asyncProperty(fc.boolean(), fc.array(line, { maxLength: 30 }), async (loggedIn, lines) => {
      const session = new Session(world.options, peer)
      const all = loggedIn ? ['USER bob', 'PASS hungry', ...lines] : lines
      let mayDelete = false
      for (const text of all) {
        const { reply, next } = await answer(session, text)
        assert.match(reply.text, /^(?!\[)[ -~]*$/)
        if (/^dele/i.test(text)) mayDelete = true
        if (reply.rest?.kind === 'octets')
          for await (const piece of reply.rest.pieces) assert.ok(piece.length >= 0)
        if (next === 'close') break
      }
      session.close()
      assert.equal(world.mail.openIndexes, 0)
      if (!mayDelete) assert.ok(world.mail.letters(1).length >= 2)
      while (world.mail.letters(1).length < 2) world.mail.add(1, 'Subject: again\r\n\r\nx\r\n')
    }),
  )
})

test('No octets on the wire bring the server down', async () => {
  await using world = await openLectureWorld()
  await check(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          nearly,
          line.map((text) => `${text}\r\n`),
        ),
        { maxLength: 20 },
      ),
      async (parts) => {
        const speaker = await speakTo(world.endpoint)
        await speaker.expect('+OK POP3 server ready')
        speaker.send(parts.join(''))
        speaker.close()
        await new Promise((resolve) => speaker.socket.once('close', resolve))
      },
    ),
    Math.min(numRuns, 100),
  )
  await world.play(`
    S: +OK POP3 server ready
    C: CAPA
    S: +OK Capability list follows
  `)
})
