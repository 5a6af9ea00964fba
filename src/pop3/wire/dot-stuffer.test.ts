import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DotStuffer, stuffLine } from './dot-stuffer.ts'

function stuff(pieces: readonly string[]): string {
  const stuffer = new DotStuffer()
  const sent = pieces.map((piece) =>
    Buffer.from(stuffer.push(Buffer.from(piece, 'latin1'))).toString('latin1'),
  )
  return sent.join('') + stuffer.end()
}

const table: [string, string][] = [
  ['', '.\r\n'],
  ['a\r\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['a.b\r\n.c\r\n..d\r\n', 'a.b\r\n..c\r\n...d\r\n.\r\n'],
  ['\r\n', '\r\n.\r\n'],
  ['a\n', 'a\n\r\n.\r\n'],
  ['a\r', 'a\r\r\n.\r\n'],
  // What a lenient agent would take for the end of the reply, and a reply behind it.
  ['a\n.\n+OK\r\n', 'a\n..\n+OK\r\n.\r\n'],
  ['a\r.\r+OK\r\n', 'a\r..\r+OK\r\n.\r\n'],
  ['a\r\r.\r\n', 'a\r\r..\r\n.\r\n'],
]

test('Lines that begin with a dot get another, and a dot alone ends the message', () => {
  for (const [message, sent] of table) assert.equal(stuff([message]), sent, JSON.stringify(message))
})

test('Where the message is cut makes no difference', () => {
  for (const [message, sent] of table) {
    assert.equal(stuff([...message]), sent)
    for (let at = 0; at <= message.length; at++) {
      assert.equal(stuff([message.slice(0, at), message.slice(at)]), sent)
    }
  }
})

test('A message that needs no dots is not copied', () => {
  const piece = Buffer.from('no dots. at all.\r\n')
  assert.equal(new DotStuffer().push(piece), piece)
})

test('A message made of dots costs no more than a few times another', () => {
  const dots = Buffer.from('.\r\n'.repeat(1_000_000))
  const start = performance.now()
  assert.equal(new DotStuffer().push(dots).length, 4_000_000)
  assert.ok(performance.now() - start < 1_000)
})

test('Our own lines are stuffed as well', () => {
  assert.equal(stuffLine('.x'), '..x\r\n')
  assert.equal(stuffLine('TOP'), 'TOP\r\n')
})
