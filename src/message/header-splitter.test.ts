import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeaderSplitter } from './header-splitter.ts'

function split(text: string, cuts: readonly number[], octetsMax = 1_000) {
  const splitter = new HeaderSplitter(octetsMax)
  const places = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort((a, b) => a - b)
  let body = ''
  let from = 0
  for (const to of [...places, text.length]) {
    // The door uses its buffer again: what is kept must have been copied.
    const chunk = Buffer.from(text.slice(from, to), 'latin1')
    body += Buffer.from(splitter.push(chunk) ?? []).toString('latin1')
    chunk.fill(0)
    from = to
  }
  body += Buffer.from(splitter.finish() ?? []).toString('latin1')
  return { header: splitter.header.toString('latin1'), body, overLimit: splitter.overLimit }
}

const cases: [title: string, message: string, header: string, body: string][] = [
  ['header and body', 'A: b\r\nC: d\r\n\r\nbody\r\n\r\n', 'A: b\r\nC: d\r\n', 'body\r\n\r\n'],
  ['no body', 'A: b\r\n', 'A: b\r\n', ''],
  ['no line end', 'A: b', 'A: b', ''],
  ['an empty line first', '\r\nA: b\r\n\r\nc', '', 'A: b\r\n\r\nc'],
  ['nothing', '', '', ''],
  [
    'the letter of the lecture',
    'Do you like ketchup?\r\n\r\nYes\r\n',
    '',
    'Do you like ketchup?\r\n\r\nYes\r\n',
  ],
  ['a fold of blanks only', 'A: b\r\n \r\n\r\nc', 'A: b\r\n \r\n', 'c'],
]

for (const [title, message, header, body] of cases) {
  test(`a message is cut into header and body: ${title}`, () => {
    for (let cut = 0; cut <= message.length; cut++) {
      const { overLimit, ...parts } = split(message, [cut])
      assert.deepEqual(parts, { header, body })
      assert.equal(overLimit, false)
    }
  })
}

test('a header over the bound is given up, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200)), fc.boolean(), (cuts, ends) => {
      const text = `A: ${'b'.repeat(150)}\r\n${ends ? '\r\nbody' : ''}`
      assert.deepEqual(split(text, cuts, 100), { header: '', body: '', overLimit: true })
    }),
  )
})

test('the pieces in which a message comes do not matter', () => {
  const piece = fc.constantFrom('A: b\r\n', '\r\n', '\r', '\n', 'text', ' ', ':')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(80)), (pieces, cuts) => {
      const text = pieces.join('')
      assert.deepEqual(split(text, cuts), split(text, []))
    }),
  )
})
