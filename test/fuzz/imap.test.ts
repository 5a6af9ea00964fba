/**
 * Whatever octets come, IMAP gives a value or a refusal, and no octet of a literal ever runs as a command.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { announcesMessage } from '../../src/imap/wire/append.ts'
import { Framing } from '../../src/imap/wire/framing.ts'
import { compileListPattern } from '../../src/imap/wire/list-pattern.ts'
import { decodeModifiedUtf7 } from '../../src/imap/wire/mailbox-name.ts'
import { parseCommand } from '../../src/imap/wire/parser.ts'
import { formatResult } from '../../src/imap/wire/response.ts'
import { StoredEnvelope } from '../../src/message/stored-envelope.ts'
import { speakTo } from '../harness/replay.ts'
import { openImapWorld, type ImapWorld } from '../transcripts/imap-world.ts'

/** Set `FUZZ_SEED` to repeat a run, `FUZZ_RUNS` to make it longer. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_007)
const runs = Number(process.env['FUZZ_RUNS'] ?? 5_000)
console.log(`FUZZ_SEED=${seed}`)

const bounds = { imapNesting: 50, imapSequenceRanges: 100 }

/** Pieces of the grammar and of what breaks it. */
const token = fc.oneof(
  fc.constantFrom(
    ...[
      'a',
      'b1',
      'LOGIN',
      'FETCH',
      'UID',
      'SEARCH',
      'STORE',
      'APPEND',
      'LIST',
      'SELECT',
      'INBOX',
      'STATUS',
      'ID',
      'COPY',
      'IDLE',
    ],
    ...[
      '1:*',
      '1,2:4',
      '*',
      '0',
      '4294967296',
      'BODY[',
      'BODY.PEEK[1.2.HEADER.FIELDS (',
      ']',
      '<0.10>',
      'ENVELOPE',
      'FLAGS',
      '+FLAGS.SILENT',
    ],
    ...[
      'NOT',
      'OR',
      'CHARSET',
      'UTF-8',
      'SUBJECT',
      'BEFORE',
      '1-Feb-1994',
      'NIL',
      '(',
      ')',
      '((',
      '))',
      '"',
      '"x"',
      '"\\',
      '\\Seen',
      '\\',
    ],
    ...[
      '{3}\r\n',
      '{3+}\r\n',
      '{0+}\r\n',
      '{99+}\r\n',
      '~{3+}\r\n',
      '{',
      '}',
      '{3',
      '\r\n',
      '\r',
      '\0',
      '&',
      '&AOk-',
      '%',
      ' ',
      ' ',
      ' ',
      ' ',
    ],
  ),
  fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 4,
  }),
)
const noise = fc.array(token, { maxLength: 40, size: 'max' }).map((tokens) => tokens.join(''))
/** Half of what comes begins like a command, so that the parsers behind the first word get their share. */
const start = fc.constantFrom(
  'a FETCH 1:2 (',
  'a FETCH 1 BODY[',
  'a UID SEARCH ',
  'a STORE 1 FLAGS (',
  'a APPEND INBOX ',
  'a LIST "" ',
  'a LOGIN ',
  'a ID (',
  'a STATUS INBOX (',
)
const octets = fc.oneof(
  noise,
  fc.tuple(start, noise).map(([first, rest]) => `${first}${rest}\r\n`),
)

test('Any octets at all become commands, refusals or nothing', () => {
  fc.assert(
    fc.property(octets, (text) => {
      const framing = new Framing(300)
      framing.push(Buffer.from(text, 'latin1'))
      for (;;) {
        const event = framing.next()
        if (event.kind === 'more' || event.kind === 'bare-lf') return
        if (event.kind === 'literal') {
          if (announcesMessage(event.command)) framing.stream()
          else if (event.announced.octets < 50) framing.hold()
          else if (event.announced.synchronising) framing.drop()
          else framing.skip()
        } else if (event.kind === 'command') {
          const parsed = parseCommand(event.command, bounds)
          if (parsed.kind === 'refused')
            assert.match(formatResult(parsed.refusal.result), /^(NO|BAD) [\x20-\x7e]+$/)
          else assert.match(parsed.tag, /^[\x21-\x7e]+$/)
        }
      }
    }),
    { seed, numRuns: runs },
  )
})

test('Names, patterns and envelopes survive anything', () => {
  fc.assert(
    fc.property(octets, octets, (one, two) => {
      decodeModifiedUtf7(one)
      compileListPattern(one, '/').matches(two)
      new StoredEnvelope(`(${one}`).field('FROM')
    }),
    { seed, numRuns: Math.ceil(runs / 2) },
  )
})

test('A parser takes twice the time for twice the octets, not more', () => {
  const hostile = [
    (n: number) => `a SEARCH ${'('.repeat(n)}`,
    (n: number) => `a SEARCH ${'OR '.repeat(n)}`,
    (n: number) => `a FETCH ${'1,'.repeat(n)}1 FLAGS`,
    (n: number) => `a FETCH 1 BODY[${'1.'.repeat(n)}`,
    (n: number) => `a LOGIN "${'\\"'.repeat(n)}`,
    (n: number) => `a STORE 1 FLAGS (${'x '.repeat(n)}`,
    (n: number) => `a SELECT ${'&AOk-'.repeat(n)}`,
    (n: number) => `a ID (${'"a" NIL '.repeat(n)}`,
    (n: number) => 'a'.repeat(n),
  ]
  for (const make of hostile) {
    const time = (n: number): number => {
      const command = { texts: [make(n)], literals: [] }
      // The quickest of several: the machine has other things to do, too.
      const runs = Array.from({ length: 5 }, () => {
        const began = performance.now()
        parseCommand(command, { imapNesting: 50, imapSequenceRanges: 1_000_000 })
        return performance.now() - began
      })
      return Math.min(...runs)
    }
    time(8_000)
    const [once, twice] = [time(16_000), time(32_000)]
    assert.ok(twice < once * 6 + 20, `${make(1)}: ${once} ms, then ${twice} ms`)
  }
})

/**
 * Every command that the server is made to see writes its tag; tags inside literals begin with `x` and must never be
 * answered, and the last command must be, whatever came before it.
 */
test('After any conversation the server still knows where commands begin', { timeout: 60_000 }, async () => {
  const world = await openImapWorld({
    limits: {
      errorsPerSession: 10_000,
      imapLineOctets: 200,
      imapEarlyLiteralOctets: 100,
      submissionOctets: 500,
    },
  })
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(conversationStep, { maxLength: 12 }), (steps) => converse(world, steps)),
      { seed, numRuns: Math.ceil(runs / 80) },
    )
  } finally {
    await world.close()
  }
})

const inside = 'x1 LOGOUT\r\nx2 NOOP\r\n'
/** Complete commands, each with as many octets of literal as it announces; `~` in front marks one that needs log-in. */
const conversationStep = fc.constantFrom(
  'a NOOP\r\n',
  'a FROB (((\r\n',
  `a FROB {${inside.length}+}\r\n${inside}\r\n`,
  `a LOGIN {${inside.length}+}\r\n${inside} {3+}\r\nx3 \r\n`,
  `a APPEND INBOX {${inside.length}+}\r\n${inside}\r\n`,
  `a APPEND INBOX (\\Bad) {${inside.length}+}\r\n${inside}\r\n`,
  `a APPEND {5+}\r\nINBOX {${inside.length}+}\r\n${inside}\r\n`,
  `a APPEND nowhere {${inside.length}+}\r\n${inside} {${inside.length}+}\r\n${inside}\r\n`,
  `a SELECT {${inside.length}+}\r\n${inside}\r\n`,
  `a ${'y'.repeat(300)} {${inside.length}+}\r\n${inside}\r\n`,
  `a SEARCH TEXT ~{${inside.length}+}\r\n${inside}\r\n`,
  `a NOOP "{${inside.length}+}\r\n${inside}\r\n`,
  'a LOGIN bob hungry\r\n',
  'a SELECT INBOX\r\n',
  'a FETCH 1:* (FLAGS UID)\r\n',
  'a UID STORE 1:* +FLAGS (\\Deleted $k)\r\n',
  'a EXPUNGE\r\n',
  'a IDLE\r\nDONE\r\n',
  'a IDLE\r\nb NOOP\r\n',
  'a APPEND INBOX {600}\r\n',
  'a LIST "" {1+}\r\n*\r\n',
  '\r\n',
  'a\r\n',
)

async function converse(world: ImapWorld, steps: readonly string[]): Promise<void> {
  const speaker = await speakTo(world.endpoint)
  let received = ''
  speaker.socket.removeAllListeners('data')
  const ended = new Promise<void>((resolve) => {
    speaker.socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (/^zz /m.test(received)) resolve()
    })
    speaker.socket.on('close', () => resolve())
  })
  speaker.send(`${steps.join('')}zz NOOP\r\n`)
  await ended
  speaker.socket.destroy()
  assert.doesNotMatch(received, /^x\d /m, `a literal ran as a command: ${JSON.stringify(steps)}`)
  // IDLE is no command before log-in, and then DONE is one that is refused.
  assert.match(
    received,
    /^zz OK|^\* BYE /m,
    `the last command was lost: ${JSON.stringify(steps)} ${received}`,
  )
}
