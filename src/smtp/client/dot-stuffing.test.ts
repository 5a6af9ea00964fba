import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotStuffer } from './dot-stuffing.ts'

function encode(...chunks: string[]): string {
  const stuffer = new DotStuffer()
  const parts = chunks.map((chunk) =>
    Buffer.from(stuffer.encode(Buffer.from(chunk, 'latin1'))).toString('latin1'),
  )
  return parts.join('') + stuffer.end()
}

const cases: [title: string, message: string, wire: string][] = [
  ['nothing', '', '.\r\n'],
  ['a line', 'a\r\n', 'a\r\n.\r\n'],
  ['no CRLF at the end', 'a', 'a\r\n.\r\n'],
  ['a dot at the start', '.', '..\r\n.\r\n'],
  ['dots', '.a\r\n..\r\nb.\r\n.\r\n', '..a\r\n...\r\nb.\r\n..\r\n.\r\n'],
  ['a bare LF', 'a\n.\nb', 'a\r\n..\r\nb\r\n.\r\n'],
  ['a bare CR', 'a\r.\rb', 'a\r\n..\r\nb\r\n.\r\n'],
  ['CR at the end', 'a\r', 'a\r\n.\r\n'],
  ['LF at the end', 'a\n', 'a\r\n.\r\n'],
  ['CR CR LF', 'a\r\r\n.b', 'a\r\n\r\n..b\r\n.\r\n'],
  ['LF CR', 'a\n\r.b', 'a\r\n\r\n..b\r\n.\r\n'],
  ['the smuggler, CR only', 'a\r.\rMAIL FROM:<x@y>', 'a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n'],
  ['the smuggler, LF . CRLF', 'a\n.\r\nMAIL', 'a\r\n..\r\nMAIL\r\n.\r\n'],
  ['the smuggler, CRLF . LF', 'a\r\n.\nMAIL', 'a\r\n..\r\nMAIL\r\n.\r\n'],
  ['the smuggler, CRLF . CR', 'a\r\n.\rMAIL', 'a\r\n..\r\nMAIL\r\n.\r\n'],
  ['NUL and 8-bit', 'a\0\xff\r\n', 'a\0\xff\r\n.\r\n'],
]
for (const [title, message, wire] of cases) {
  test(`a message as it goes over the wire: ${title}`, () => {
    assert.equal(encode(message), wire)
    assert.equal(encode(...message), wire)
  })
}

const octets = fc
  .array(fc.constantFrom('\r', '\n', '.', 'a', '\0'), { maxLength: 40 })
  .map((list) => list.join(''))

test('however it is cut and whatever it holds, it ends once, and CR and LF come together', () => {
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 5 }), (chunks) => {
      const wire = encode(...chunks)
      assert.equal(wire, encode(chunks.join('')))
      assert(!/\r(?!\n)|(?<!\r)\n/.test(wire))
      assert.equal(`\r\n${wire}`.indexOf('\r\n.\r\n'), wire.length - 3)
      // What the receiver takes off again is the message with its line ends put right.
      const received = wire.slice(0, -3).replace(/^\./gm, '')
      const normal = chunks.join('').replace(/\r\n|\r|\n/g, '\r\n')
      assert.equal(received, normal === '' || normal.endsWith('\r\n') ? normal : `${normal}\r\n`)
    }),
    { seed: 1, numRuns: 3_000 },
  )
})

test('a message without anything to change is not copied', () => {
  const chunk = Buffer.from('a\r\nb\r\n')
  assert.equal(new DotStuffer().encode(chunk), chunk)
})
