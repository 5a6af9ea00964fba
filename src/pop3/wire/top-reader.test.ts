import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopReader } from './top-reader.ts'

function topOf(pieces: readonly string[], lines: number): string {
  const top = new TopReader(lines)
  return pieces
    .map((piece) => Buffer.from(top.push(Buffer.from(piece, 'latin1'))).toString('latin1'))
    .join('')
}

const table: [message: string, lines: number, top: string][] = [
  ['A: b\r\n\r\none\r\ntwo\r\n', 0, 'A: b\r\n\r\n'],
  ['A: b\r\n\r\none\r\ntwo\r\n', 1, 'A: b\r\n\r\none\r\n'],
  ['A: b\r\n\r\none\r\ntwo\r\n', 2, 'A: b\r\n\r\none\r\ntwo\r\n'],
  ['A: b\r\n\r\none\r\ntwo\r\n', Infinity, 'A: b\r\n\r\none\r\ntwo\r\n'],
  ['A: b\r\n\r\n\r\n\r\nx\r\n', 1, 'A: b\r\n\r\n\r\n'],
  ['A: b\r\n', 0, 'A: b\r\n'],
  ['A: b\r\n c\r\n\r\nx', 1, 'A: b\r\n c\r\n\r\nx'],
  ['A: b\n\none\ntwo\n', 1, 'A: b\n\none\n'],
  ['\r\nbody\r\n', 0, '\r\n'],
  ['A: b\r\n\r\r\nbody\r\n', 0, 'A: b\r\n\r\r\n'],
  ['', 5, ''],
]

test('The top of a message is its header, the empty line and so many lines', () => {
  for (const [message, lines, top] of table)
    assert.equal(topOf([message], lines), top, JSON.stringify(message))
})

test('Where the message is cut makes no difference', () => {
  for (const [message, lines, top] of table) {
    assert.equal(topOf([...message], lines), top)
    for (let at = 0; at <= message.length; at++) {
      assert.equal(topOf([message.slice(0, at), message.slice(at)], lines), top)
    }
  }
})
