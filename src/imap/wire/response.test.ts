import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Framing } from './framing.ts'
import { CommandReader } from './reader.ts'
import { formatAstring, formatNstring, formatString, tagged } from './response.ts'

/** Reads a string back as a client would that got it in a response: with our own reader. */
function read(text: string, take: (reader: CommandReader) => string | null): string | null {
  const framing = new Framing(1_000_000)
  framing.push(Buffer.from(`${text}\r\n`, 'latin1'))
  for (;;) {
    const event = framing.next()
    if (event.kind === 'literal') framing.hold()
    else if (event.kind === 'command') return take(new CommandReader(event.command))
    else throw new Error(event.kind)
  }
}

test('Strings that are written are read again', () => {
  const octets = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  })
  fc.assert(
    fc.property(octets, (text) => {
      assert.equal(
        read(formatString(text), (reader) => reader.string()),
        text,
      )
      assert.equal(
        read(formatNstring(text), (reader) => reader.nstring()),
        text,
      )
      assert.equal(
        read(formatAstring(text), (reader) => reader.astring()),
        text,
      )
    }),
  )
  assert.equal(formatNstring(null), 'NIL')
  assert.equal(formatAstring('NIL'), '"NIL"')
})

test('No text of ours can break a response line', () => {
  assert.equal(
    tagged('a', { status: 'NO', code: 'CANNOT', text: 'x\r\n* BYE' }),
    'a NO [CANNOT] x??* BYE\r\n',
  )
})
