import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerValues } from './header.ts'
import type { Part } from './part.ts'
import { type MessageScan, MessageScanner, type ScanLimits, scanMessage } from './scan.ts'

/** Text indented for the test's sake, as a message: no indent, CRLF, no empty first line. */
function message(text: string): Buffer {
  const lines = text.replace(/^\n/, '').replace(/\n *$/, '').split('\n')
  const indent = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)))
  return Buffer.from(lines.map((line) => line.slice(indent)).join('\r\n'), 'latin1')
}

/** The tree in short: `mixed(plain, html)`. */
function tree(part: Part): string {
  const children = part.parts.length === 0 ? '' : `(${part.parts.map(tree).join(', ')})`
  return part.subtype + children
}

const body = (octets: Buffer, part: Part) =>
  octets.toString('latin1', part.bodyOffset, part.bodyOffset + part.octets).replaceAll('\r\n', '|')

test('the letter "Do you like ketchup?" has no header: all of it is the body', () => {
  const letter = Buffer.from('Do you like ketchup?\r\nHow about pickles?\r\n')
  const scan = scanMessage(letter)
  assert.equal(scan.hasHeader, false)
  assert.equal(scan.headerOctets, 0)
  assert.equal(scan.lines, 2)
  assert.deepEqual(scan.headerFields, [])
  assert.equal(tree(scan.root), 'plain')
  assert.equal(scan.root.octets, letter.length)
  assert.equal(scan.root.lines, 2)
})

test('a header may be empty, or all there is, or nothing', () => {
  const cases: [string, hasHeader: boolean, headerOctets: number][] = [
    ['', false, 0],
    ['\r\nbody\r\n', true, 2],
    ['\n', true, 1],
    ['Subject: x', true, 10],
    ['Subject: x\r\n', true, 12],
    ['Subject: x\r\n\r\n', true, 14],
    ['From ada@client.example Mon Jan  1 10:20:30 2024\r\nSubject: x\r\n\r\n', true, 64],
    ['From here to eternity\r\n\r\n', false, 0],
    [' Subject: x\r\n', false, 0],
    ['a', false, 0],
    ['\r', false, 0],
  ]
  for (const [text, hasHeader, headerOctets] of cases) {
    const scan = scanMessage(Buffer.from(text))
    assert.equal(scan.hasHeader, hasHeader, JSON.stringify(text))
    assert.equal(scan.headerOctets, headerOctets, JSON.stringify(text))
  }
})

test('RFC 2046 §5.1.1: the simple multipart', () => {
  const octets = message(`
    From: Nathaniel Borenstein <nsb@bellcore.com>
    Subject: Sample message
    Content-type: multipart/mixed; boundary="simple boundary"

    This is the preamble.  It is to be ignored.

    --simple boundary

    This is implicitly typed plain US-ASCII text.
    It does NOT end with a linebreak.
    --simple boundary
    Content-type: text/plain; charset=us-ascii

    It DOES end with a linebreak.

    --simple boundary--

    This is the epilogue.  It is also to be ignored.
    `)
  const { root } = scanMessage(octets)
  assert.equal(tree(root), 'mixed(plain, plain)')
  const [implicit, explicit] = root.parts as [Part, Part]
  assert.equal(
    body(octets, implicit),
    'This is implicitly typed plain US-ASCII text.|It does NOT end with a linebreak.',
  )
  assert.deepEqual(implicit.parameters, [['charset', 'us-ascii']])
  assert.equal(implicit.lines, 2)
  assert.equal(body(octets, explicit), 'It DOES end with a linebreak.|')
  assert.equal(explicit.lines, 1)
  assert.equal(octets.toString('latin1', explicit.headerOffset, explicit.headerOffset + 12), 'Content-type')
})

/** Bodies of multiparts with boundary `b`, and the tree and leaf bodies that come out. */
const BOUNDARIES: [title: string, body: string, tree: string, ...leaves: string[]][] = [
  ['no closing delimiter', '--b\n\none\n--b\n\ntwo\n', 'mixed(plain, plain)', 'one', 'two|'],
  ['blanks after the boundary', '--b \t\n\none\n--b-- \n', 'mixed(plain)', 'one'],
  ['closing delimiter at the very end', '--b\n\none\n--b--', 'mixed(plain)', 'one'],
  ['parts without a body', '--b\n--b\n\n--b\nSubject: x\n--b--\n', 'mixed(plain, plain, plain)', '', '', ''],
  ['a delimiter after the end is epilogue', '--b\n\none\n--b--\n\n--b\n\ntwo\n', 'mixed(plain)', 'one'],
  [
    'a line that only begins like one',
    '--b\n\none\n--B\n-b\n -b\n--\n--b--\n',
    'mixed(plain)',
    'one|--B|-b| -b|--',
  ],
  ['no delimiter at all is text', 'just text\n', 'plain', 'just text|'],
  ['only a closing delimiter is text', '--b--\nx\n', 'plain', '--b--|x|'],
  [
    'an outer delimiter ends inner multiparts',
    '--b\nContent-Type: multipart/alternative; boundary=in\n\n--in\n\none\n--b\n\ntwo\n--b--\n',
    'mixed(alternative(plain), plain)',
    'one',
    'two',
  ],
  [
    'an inner boundary that continues the outer one',
    '--b\nContent-Type: multipart/alternative; boundary=b-in\n\n--b-in\n\none\n--b-in--\n--b\n\ntwo\n--b--\n',
    'mixed(alternative(plain), plain)',
    'one',
    'two',
  ],
  [
    'an outer boundary that continues the inner one',
    '--b\nContent-Type: multipart/mixed; boundary=ix\n\n--ix\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\none\n--ix\n\ntwo\n--ix--\n--b--\n',
    'mixed(mixed(alternative(plain), plain))',
    'one',
    'two',
  ],
  [
    'an empty boundary is none',
    '--b\nContent-Type: multipart/digest; boundary=""\n\nx\n--b\n\ntwo\n--b--\n',
    'mixed(plain, plain)',
    'x',
    'two',
  ],
  [
    'the same boundary inside and outside',
    '--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n',
    'mixed(alternative(plain), plain)',
    'one',
    'two',
  ],
  [
    'RFC 2046 §5.1.5: a digest holds messages',
    '--b\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: 1\n\none\n--d\nContent-Type: text/plain\n\ntwo\n--d--\n--b--\n',
    'mixed(digest(rfc822(plain), plain))',
    'one',
    'two',
  ],
  [
    'a message inside, whose multipart the outer delimiter ends',
    '--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n',
    'mixed(rfc822(mixed(plain)), plain)',
    'one',
    'two',
  ],
  [
    'a message inside that stops within its header',
    '--b\nContent-Type: message/rfc822\n\nSubject: cut\n--b--\n',
    'mixed(rfc822(plain))',
    '',
  ],
  [
    'an encoded message is not looked into',
    '--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA==\n--b--\n',
    'mixed(rfc822)',
    'U3ViamVjdDogeA==',
  ],
  [
    'a type that cannot be read is text',
    '--b\nContent-Type: nonsense\n\none\n--b--\n',
    'mixed(plain)',
    'one',
  ],
  ['bare line feeds', '--b\n\none\n\n--b\n\ntwo\n--b--\n', 'mixed(plain, plain)', 'one|', 'two'],
]

const leaves = (part: Part): Part[] => (part.parts.length === 0 ? [part] : part.parts.flatMap(leaves))

for (const [title, text, shape, ...expected] of BOUNDARIES) {
  for (const lineEnd of ['\r\n', '\n']) {
    test(`${title} (${JSON.stringify(lineEnd)})`, () => {
      const whole = `Content-Type: multipart/mixed; boundary=b\n\n${text}`.replaceAll('\n', lineEnd)
      const octets = Buffer.from(whole)
      const scan = scanMessage(octets)
      assert.equal(tree(scan.root), shape)
      const found = leaves(scan.root)
      assert.deepEqual(
        found.map((part) => body(octets, part).replaceAll('\n', '|')),
        expected,
      )
      for (const part of found) {
        const text = body(octets, part).replaceAll('\n', '|')
        assert.equal(part.lines, (text.match(/[^|]*\||[^|]+$/g) ?? []).length, title)
      }
      assert.equal(scan.bareLf, lineEnd === '\n')
    })
  }
}

test('RFC 2049 appendix A: the complex multipart', () => {
  const octets = message(`
    MIME-Version: 1.0
    From: Nathaniel Borenstein <nsb@nsb.fv.com>
    To: Ned Freed <ned@innosoft.com>
    Date: Fri, 07 Oct 1994 16:15:05 -0700 (PDT)
    Subject: A multipart example
    Content-Type: multipart/mixed;
                  boundary=unique-boundary-1

    This is the preamble area of a multipart message.

    --unique-boundary-1

      ... Some text appears here ...

    --unique-boundary-1
    Content-type: text/plain; charset=US-ASCII

    This could have been part of the previous part.

    --unique-boundary-1
    Content-Type: multipart/parallel; boundary=unique-boundary-2

    --unique-boundary-2
    Content-Type: audio/basic
    Content-Transfer-Encoding: base64

      ... base64-encoded 8000 Hz single-channel

    --unique-boundary-2
    Content-Type: image/jpeg
    Content-Transfer-Encoding: base64

      ... base64-encoded image data goes here ...

    --unique-boundary-2--

    --unique-boundary-1
    Content-type: text/enriched

    This is <bold><italic>enriched.</italic></bold>

    --unique-boundary-1
    Content-Type: message/rfc822

    From: (mailbox in US-ASCII)
    To: (address in US-ASCII)
    Subject: (subject in US-ASCII)
    Content-Type: Text/plain; charset=ISO-8859-1
    Content-Transfer-Encoding: Quoted-printable

      ... Additional text in ISO-8859-1 goes here ...

    --unique-boundary-1--
    `)
  const { root, envelope } = scanMessage(octets)
  assert.equal(tree(root), 'mixed(plain, plain, parallel(basic, jpeg), enriched, rfc822(plain))')
  assert.equal(envelope.subject, 'A multipart example')
  const enclosed = root.parts[4]
  assert.equal(enclosed?.message?.envelope.subject, '(subject in US-ASCII)')
  assert.equal(enclosed?.parts[0]?.encoding, 'quoted-printable')
  assert.equal(enclosed?.bodyOffset, enclosed?.parts[0]?.headerOffset)
})

test('header fields have their places, and forbidden octets are noticed', () => {
  const octets = Buffer.from('Subject: a\r\n b\r\nTo: x\r\n\r\ncaf\xe9\r\n', 'latin1')
  const scan = scanMessage(octets)
  assert.deepEqual(headerValues(scan, 'subject'), ['a b'])
  const [subject] = scan.headerFields
  assert.equal(
    octets.toString('latin1', subject?.offset, subject!.offset + subject!.octets),
    'Subject: a\r\n b\r\n',
  )
  const seen = ({ bareLf, bareCr, nul, eightBit }: ReturnType<typeof scanMessage>) => [
    bareLf,
    bareCr,
    nul,
    eightBit,
  ]
  assert.deepEqual(seen(scan), [false, false, false, true])
  assert.deepEqual(seen(scanMessage(Buffer.from('a: b\r\n\r\n\rx'))), [false, true, false, false])
  assert.deepEqual(seen(scanMessage(Buffer.from('a: \0\r\n\r\nx\r'))), [false, true, true, false])
  assert.deepEqual(seen(scanMessage(Buffer.from('a: b\r\n\nx'))), [true, false, false, false])
})

test('what is beyond a limit is not looked into, and the limit is named', () => {
  const nested = (depth: number) =>
    Array.from(
      { length: depth },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}x\r\n\r\n--b${level}x\r\n`,
    ).join('')
  const cases: [string, Partial<ScanLimits>, keyof ScanLimits, string][] = [
    [nested(10_000), { nesting: 3 }, 'nesting', 'mixed(mixed(mixed(octet-stream)))'],
    [
      'Content-Type: message/rfc822\r\n\r\n'.repeat(100),
      { nesting: 2 },
      'nesting',
      'rfc822(rfc822(octet-stream))',
    ],
    [
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + '--b\r\n\r\nx\r\n'.repeat(100_000),
      { parts: 4 },
      'parts',
      'mixed(plain, plain, plain)',
    ],
    ['a: b\r\n'.repeat(2000) + 'Content-Type: text/html\r\n\r\n', {}, 'headerFields', 'plain'],
    ['a: ' + 'b'.repeat(1_000_000) + '\r\nContent-Type: text/html\r\n\r\n', {}, 'headerOctets', 'plain'],
    ['a: ' + ' b\r\n'.repeat(300_000) + '\r\n', {}, 'headerOctets', 'plain'],
  ]
  for (const [text, limits, name, shape] of cases) {
    const scan = scanMessage(Buffer.from(text), limits)
    assert.equal(scan.overLimit, name)
    assert.equal(tree(scan.root), shape)
    assert.equal(scan.octets, text.length)
  }
})

test('10,000 multiparts, 100,000 parts and nothing but near-delimiters end in a small tree', () => {
  const size = (part: Part): number => part.parts.reduce((sum, child) => sum + size(child), 1)
  let deep = ''
  for (let level = 0; level < 10_000; level++)
    deep += `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n`
  const wide = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + '--b\r\n\r\n'.repeat(100_000)
  const near =
    `Content-Type: multipart/mixed; boundary=${'b'.repeat(70)}\r\n\r\n` +
    `--${'b'.repeat(69)}\r\n`.repeat(50_000)
  const messages =
    'Content-Type: multipart/digest; boundary=b\r\n\r\n' + '--b\r\n\r\nTo: a,a,a,a\r\n\r\n'.repeat(50_000)
  for (const text of [deep, wide, near, messages]) {
    const scan = scanMessage(Buffer.from(text))
    assert.ok(size(scan.root) <= 1000)
    assert.ok(JSON.stringify(scan.root).length < 1_000_000)
  }
})

test('no addresses beyond ten thousand are kept, however many messages carry them', () => {
  const enclosed = `--b\r\n\r\nTo: ${'a,'.repeat(5000)}\r\nCc: ${'b,'.repeat(5000)}\r\n\r\nx\r\n`
  const { root } = scanMessage(
    Buffer.from('Content-Type: multipart/digest; boundary=b\r\n\r\n' + enclosed.repeat(30)),
  )
  let count = 0
  for (const part of root.parts) count += part.message!.envelope.to.length + part.message!.envelope.cc.length
  assert.equal(count, 10_000)
})

/** With what is made only when it is asked for. */
function all(scan: MessageScan) {
  return { ...scan, envelope: scan.envelope }
}

function inPieces(octets: Uint8Array, sizes: Iterator<number>, limits?: ScanLimits) {
  const scanner = new MessageScanner(limits)
  // One buffer for all pieces, as a socket's reader might have.
  const room = Buffer.alloc(octets.length + 1)
  for (let at = 0; at < octets.length; ) {
    const size = Math.max(1, sizes.next().value ?? 1)
    const piece = octets.subarray(at, at + size)
    room.set(piece)
    scanner.push(room.subarray(0, piece.length))
    room.fill(0)
    at += size
  }
  return scanner.finish()
}

function* always(size: number) {
  for (;;) yield size
}

const CORPUS = new URL('../../test/corpus/', import.meta.url)
const corpus = readdirSync(CORPUS).filter((name) => name.endsWith('.eml'))

test('every message of the corpus is the same whole and in pieces of any size', () => {
  assert.ok(corpus.length > 50)
  for (const name of corpus) {
    const original = readFileSync(new URL(name, CORPUS))
    const crlf = Buffer.from(original.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
    for (const octets of [original, crlf]) {
      const whole = scanMessage(octets)
      assert.equal(whole.octets, octets.length)
      for (const size of [1, 2, 3, 5, 16, 61, 1000])
        assert.deepEqual(all(inPieces(octets, always(size))), all(whole), name)
    }
  }
})

const line = fc.constantFrom(
  '--b\r\n',
  '--b--\r\n',
  '--b',
  '--bb\r\n',
  '--bb--\r\n',
  '--b \t\r\n',
  '\r\n',
  '\n',
  '\r',
  '-',
  '--',
  'text\r\n',
  'Content-Type: multipart/mixed; boundary=b\r\n',
  'Content-Type: multipart/digest;\r\n boundary="bb"\r\n',
  'Content-Type: message/rfc822\r\n',
  'Subject: x\r\n',
  'Content-Type: text/html\r\n',
  ' fold\r\n',
  '\0',
  '\xe9',
  'x'.repeat(1100),
)

test('any mixture of delimiters, headers and line ends is the same however it is cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), sizes, (lines, sizes) => {
      const octets = Buffer.from(
        'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + lines.join(''),
        'latin1',
      )
      const limits = { headerOctets: 100, headerFields: 3, parts: 6, nesting: 3 }
      for (const limit of [undefined, limits]) {
        const cut = function* () {
          for (;;) yield* sizes
        }
        assert.deepEqual(all(inPieces(octets, cut(), limit)), all(scanMessage(octets, limit)))
      }
    }),
    { numRuns: 1500 },
  )
})

test('parts lie within their parents, one after the other', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const octets = Buffer.from(
        'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + lines.join(''),
        'latin1',
      )
      const check = (part: Part, from: number, to: number) => {
        assert.ok(part.headerOffset >= from && part.bodyOffset >= part.headerOffset)
        assert.ok(part.octets === 0 || part.bodyOffset + part.octets <= to)
        assert.ok(part.lines >= 0 && part.lines <= part.octets)
        let at = part.bodyOffset
        for (const child of part.parts) {
          check(child, at, part.bodyOffset + part.octets)
          at = child.bodyOffset + child.octets
        }
      }
      check(scanMessage(octets).root, 0, octets.length)
    }),
    { numRuns: 1500 },
  )
})
