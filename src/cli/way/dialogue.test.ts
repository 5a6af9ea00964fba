import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireLine } from '../../journey/event.ts'
import { cutPhases, isSameDialogue, linesOf } from './dialogue.ts'

function dialogue(text: string): WireLine[] {
  return text
    .trim()
    .split('\n')
    .map((line, index) => ({ side: line.trim()[0] as 'C' | 'S', text: line.trim().slice(3), dtUs: index }))
}

const texts = (lines: readonly WireLine[]) => lines.map(({ text }) => text)

test('L6 a dialogue is cut into handshaking, transfer and closure', () => {
  const { handshaking, transfer, closure } = cutPhases(
    dialogue(`
      S: 220 hamburger.edu
      C: HELO crepes.fr
      S: 250 Hello crepes.fr, pleased to meet you
      C: MAIL FROM: <alice@crepes.fr>
      S: 250 alice@crepes.fr... Sender ok
      C: DATA
      S: 354 Enter mail
      C: (message, 42 octets)
      C: .
      S: 250 Message accepted for delivery
      C: QUIT
      S: 221 hamburger.edu closing connection
    `),
  )
  assert.deepEqual(texts(handshaking).length, 3)
  assert.equal(texts(transfer)[0], 'MAIL FROM: <alice@crepes.fr>')
  assert.deepEqual(texts(closure), ['QUIT', '221 hamburger.edu closing connection'])
})

test('a second message on a connection has no handshaking, and RSET belongs to its transfer', () => {
  const { handshaking, transfer, closure } = cutPhases(
    dialogue(`
      C: RSET
      S: 250 Ok
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 Ok
    `),
  )
  assert.deepEqual([handshaking.length, transfer.length, closure.length], [0, 4, 0])
})

test('a conversation that never came to a letter has no transfer', () => {
  const { handshaking, transfer, closure } = cutPhases(dialogue('S: 554 No\nC: QUIT\nS: 221 Bye'))
  assert.deepEqual([handshaking.length, transfer.length, closure.length], [1, 0, 2])
})

test('two ends of a pipelined dialogue tell the same', () => {
  const client = dialogue('C: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nS: 250 a\nS: 250 c\nC: (message, 4 octets)')
  const server = dialogue('C: MAIL FROM:<a@b>\nS: 250 a\nC: RCPT TO:<c@d>\nS: 250 c\nC: (message, 5 octets)')
  assert.equal(isSameDialogue(client, server), true)
  assert.equal(isSameDialogue(client, server.slice(0, 3)), false)
  assert.equal(
    isSameDialogue(client, dialogue('C: MAIL FROM:<a@b>\nS: 250 x\nC: RCPT TO:<c@d>\nS: 250 c')),
    false,
  )
})

test('lines that are none are passed over', () => {
  assert.deepEqual(linesOf({ lines: [{ side: 'X', text: 'a' }, null, 'b', { side: 'C', text: 'c' }] }), [
    { side: 'C', text: 'c', dtUs: 0 },
  ])
  assert.deepEqual(linesOf({}), [])
})
