import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { imapBody, imapBodyStructure, imapEnvelope } from '../../src/message/imap-structure.ts'
import type { Part } from '../../src/message/part.ts'
import { MessageScanner, scanMessage } from '../../src/message/scan.ts'
import { findSection, selectHeaderFields } from '../../src/message/section.ts'
import { decodeStructure, encodeStructure } from '../../src/message/stored-structure.ts'
import { attachments, partContent, plainTextOf } from '../../src/message/text.ts'
import { parseDate } from '../../src/message/date.ts'
import { reduceSubject } from '../../src/message/envelope.ts'
import { headerValues } from '../../src/message/header.ts'

/** Set `FUZZ_SEED` to repeat a run, `FUZZ_RUNS` to make it longer. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_007)
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 12_000)

/** Messages do not grow beyond this by splicing. */
const OCTETS = 20_000

const CORPUS = new URL('../corpus/', import.meta.url)

/** Octets that mean something to one of the parsers. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\0',
  '--',
  '-',
  '"',
  '\\',
  '(',
  ')',
  '<',
  '>',
  '@',
  ',',
  ';',
  ':',
  '=?',
  '?=',
  '=',
  '%',
  '=?utf-8?Q?=0D=0A?=',
  '=?iso-2022-jp?B?GyRC?=',
  '=?utf-7?Q?+AAo-?=',
  "*0*=utf-8''%00",
  '*1=',
  '\xff',
  '\xe9',
  '\xc3\xa9',
  '\x1b$B',
  'Content-Type: multipart/mixed; boundary=b\r\n',
  'Content-Type: multipart/digest; boundary="b b"\r\n\r\n',
  '--b\r\n',
  '--b--\r\n',
  'Content-Type: message/rfc822\r\n\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'Content-Disposition: attachment; filename=',
  'From: ',
  'To: a:;',
  'References: <',
  'Date: ',
  'Subject: Re: [',
  ' \r\n',
  '\t',
  'charset=utf-16',
  'charset=iso-2022-kr',
].map((token) => Buffer.from(token, 'latin1'))

/** Marsaglia's xorshift: 32 bits are plenty to choose by, and a seed repeats it. */
function dice(seed: number): (sides: number) => number {
  let state = seed | 1
  return (sides) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % sides
  }
}

function mutate(octets: Buffer, corpus: readonly Buffer[], roll: (sides: number) => number): Buffer {
  const at = roll(octets.length + 1)
  const from = octets.subarray(0, at)
  const rest = octets.subarray(at)
  const other = corpus[roll(corpus.length)] as Buffer
  switch (roll(6)) {
    case 0: {
      const flipped = Buffer.from(octets)
      for (let count = roll(8) + 1; count > 0 && flipped.length > 0; count--)
        flipped[roll(flipped.length)]! ^= 1 << roll(8)
      return flipped
    }
    case 1:
      return Buffer.concat([from, other.subarray(roll(other.length + 1))])
    case 2:
      return Buffer.concat([from, rest.subarray(roll(Math.min(rest.length, 200) + 1))])
    case 3:
      return Buffer.concat([from, octets.subarray(roll(octets.length + 1), at), rest])
    case 4:
      return Buffer.concat([
        from,
        ...Array.from({ length: roll(50) + 1 }, () => TOKENS[roll(TOKENS.length)] as Buffer),
        rest,
      ])
    default:
      return Buffer.concat([from, TOKENS[roll(TOKENS.length)] as Buffer, rest])
  }
}

/** One parenthesised list of quoted strings, NIL and numbers, in 7-bit characters. */
function assertImapList(text: string): void {
  assert.match(text, /^\([ -~]*\)$/)
  const bones = text.replace(/"(?:[^"\\]|\\["\\])*"/g, '').replace(/NIL|\d+| /g, '')
  assert.match(bones, /^[()]+$/)
  let depth = 0
  for (const [index, bracket] of [...bones].entries()) {
    depth += bracket === '(' ? 1 : -1
    assert.ok(depth > 0 || index === bones.length - 1)
  }
  assert.equal(depth, 0)
}

function assertPart(octets: Buffer, part: Part, from: number, to: number): void {
  assert.ok(
    part.headerOffset >= from && part.bodyOffset >= part.headerOffset && part.bodyOffset <= octets.length,
  )
  assert.ok(part.octets === 0 || part.bodyOffset + part.octets <= to)
  for (const child of part.parts) assertPart(octets, child, part.bodyOffset, part.bodyOffset + part.octets)
}

/** Everything that is done with a message once it is stored. */
function use(octets: Buffer, roll: (sides: number) => number): void {
  const scan = scanMessage(octets)
  const scanner = new MessageScanner()
  for (let at = 0; at < octets.length; ) {
    const size = 1 + roll(roll(4) === 0 ? 4 : 4000)
    scanner.push(octets.subarray(at, at + size))
    at += size
  }
  const again = scanner.finish()
  assert.deepEqual({ ...again, envelope: again.envelope }, { ...scan, envelope: scan.envelope })
  assertPart(octets, scan.root, 0, octets.length)
  for (const text of [imapEnvelope(scan.envelope), imapBody(scan.root), imapBodyStructure(scan.root)])
    assertImapList(text)
  const stored = decodeStructure(encodeStructure(scan))
  assert.deepEqual(stored.root, scan.root)
  for (const path of [[], [1], [2, 1], [1, 1, 1]]) {
    for (const kind of ['all', 'header', 'text', 'mime'] as const) {
      const range = findSection(stored, path, kind)
      assert.ok(
        range === null ||
          (range.offset >= 0 && range.octets >= 0 && range.offset + range.octets <= octets.length),
      )
    }
  }
  selectHeaderFields(octets.subarray(0, scan.headerOctets), ['subject', 'to'], roll(2) === 0)
  plainTextOf(octets, scan.root)
  for (const { part } of attachments(scan.root)) partContent(octets, part)
  parseDate(scan.envelope.date ?? '')
  reduceSubject(scan.envelope.subject ?? '')
  headerValues(scan, 'received')
}

test(`no octets bring out of a message anything but values (FUZZ_SEED=${SEED})`, () => {
  const roll = dice(SEED)
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.eml'))
  const corpus = names.map((name) => readFileSync(new URL(name, CORPUS)))
  let octets: Buffer = corpus[0] as Buffer
  for (let run = 0; run < RUNS; run++) {
    // Mutations pile up for a while, then a fresh message is taken.
    if (run % 8 === 0) octets = corpus[roll(corpus.length)] as Buffer
    octets = mutate(octets, corpus, roll).subarray(0, OCTETS)
    try {
      use(octets, roll)
    } catch (cause) {
      throw new Error(`seed ${SEED}, run ${run}: ${octets.toString('base64')}`, { cause })
    }
  }
})
