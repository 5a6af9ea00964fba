import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DataReader } from './data-reader.ts'

interface Outcome {
  text: string
  state: 'more' | 'end' | 'ambiguous'
  rest: string
}

/** Reads a text cut at the given places; what follows an end is gathered into `rest`. */
function read(text: string, cuts: readonly number[] = []): Outcome {
  const reader = new DataReader()
  const places = [...new Set(cuts.filter((cut) => cut > 0 && cut < text.length))].sort((a, b) => a - b)
  const outcome: Outcome = { text: '', state: 'more', rest: '' }
  for (let i = 0, from = 0; i <= places.length; i++) {
    const to = places[i] ?? text.length
    const piece = Buffer.from(text.slice(from, to), 'latin1')
    from = to
    if (outcome.state !== 'more') {
      outcome.rest += piece.toString('latin1')
      continue
    }
    const event = reader.push(piece)
    for (const chunk of event.chunks) outcome.text += Buffer.from(chunk).toString('latin1')
    outcome.state = event.state
    outcome.rest = Buffer.from(event.rest).toString('latin1')
  }
  return outcome
}

const cases: [title: string, input: string, text: string, state: Outcome['state'], rest: string][] = [
  [
    'an ordinary letter',
    'Do you like ketchup?\r\n.\r\nQUIT\r\n',
    'Do you like ketchup?\r\n',
    'end',
    'QUIT\r\n',
  ],
  ['an empty message', '.\r\n', '', 'end', ''],
  ['a stuffed dot, RFC 5321 §4.5.2', '..\r\n.\r\n', '.\r\n', 'end', ''],
  ['a stuffed dot before text', 'a\r\n..b\r\n.\r\n', 'a\r\n.b\r\n', 'end', ''],
  ['two stuffed dots', '...\r\n.\r\n', '..\r\n', 'end', ''],
  ['a dot inside a line', 'a.b\r\n.\r\n', 'a.b\r\n', 'end', ''],
  ['LF . LF is no end and no text', 'a\n.\nMAIL', 'a\n', 'ambiguous', ''],
  ['LF . CRLF is no end', 'a\n.\r\nMAIL', 'a\n', 'ambiguous', ''],
  ['CRLF . LF is no end', 'a\r\n.\nMAIL', 'a\r\n', 'ambiguous', ''],
  ['CR . CR is text', 'a\r.\rb\r\n.\r\n', 'a\r.\rb\r\n', 'end', ''],
  ['CR . CRLF is text', 'a\r.\r\n.\r\n', 'a\r.\r\n', 'end', ''],
  ['CRLF . CR is not the end', 'a\r\n.\rb\r\n.\r\n', 'a\r\n\rb\r\n', 'end', ''],
  ['a NUL after the dot is not the end', 'a\r\n.\0\r\n.\r\n', 'a\r\n\0\r\n', 'end', ''],
]

for (const [title, input, text, state, rest] of cases) {
  test(`DATA: ${title}, however it is cut`, () => {
    for (let cut = 0; cut <= input.length; cut++) {
      const outcome = read(input, [cut])
      assert.equal(outcome.state, state)
      if (state === 'ambiguous') continue
      assert.equal(outcome.text, text)
      assert.equal(outcome.rest, rest)
    }
    const single = read(
      input,
      [...input].map((_, i) => i),
    )
    assert.equal(single.state, state)
    if (state !== 'ambiguous') assert.equal(single.text, text)
  })
}

const octet = fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n..', '\0')

test('DATA: where the octets are cut makes no difference', () => {
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 30 }), fc.array(fc.nat(60)), (pieces, cuts) => {
      const input = pieces.join('')
      const whole = read(input)
      const cut = read(input, cuts)
      assert.equal(cut.state, whole.state)
      if (whole.state === 'end') assert.deepEqual(cut, whole)
    }),
    { numRuns: 2_000 },
  )
})

test('DATA: what is stuffed by the book comes out as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('', '.', '..', 'a', '.a', ' .'), { maxLength: 12 }), (lines) => {
      const message = lines.map((line) => `${line}\r\n`).join('')
      const stuffed = lines.map((line) => (line.startsWith('.') ? `.${line}\r\n` : `${line}\r\n`)).join('')
      const outcome = read(`${stuffed}.\r\nNOOP\r\n`)
      assert.equal(outcome.state, 'end')
      assert.equal(outcome.text, message)
      assert.equal(outcome.rest, 'NOOP\r\n')
    }),
  )
})

test('a message of dots is handed on in one piece a chunk, not in one for each dot', () => {
  const reader = new DataReader()
  const chunk = Buffer.from('\r\n..'.repeat(16_384))
  for (let i = 0; i < 4; i++) assert.ok(reader.push(chunk).chunks.length <= 1)
})
