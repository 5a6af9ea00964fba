import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SendmailInput } from './read-message.ts'

function read(text: string, dotsAreText = false, cuts: readonly number[] = []): string {
  const octets = Buffer.from(text, 'latin1')
  const input = new SendmailInput(dotsAreText)
  const out: Uint8Array[] = []
  let from = 0
  for (const cut of [...new Set(cuts.map((one) => one % (octets.length + 1)))].sort((a, b) => a - b)) {
    out.push(Buffer.from(input.push(octets.subarray(from, cut))))
    from = cut
  }
  out.push(Buffer.from(input.push(octets.subarray(from))), Buffer.from(input.finish()))
  return Buffer.concat(out).toString('latin1')
}

for (const [title, text, expected, dotsAreText] of [
  ['lines end with CRLF', 'A: b\n\nx\r\ny\n', 'A: b\r\n\r\nx\r\ny\r\n'],
  ['the last line too', 'A: b\n\nx', 'A: b\r\n\r\nx\r\n'],
  ['and one that ends with CR', 'A: b\n\nx\r', 'A: b\r\n\r\nx\r\n'],
  ['a dot alone ends it', 'A: b\n\nx\n.\nrest\n', 'A: b\r\n\r\nx\r\n'],
  ['with CRLF too', 'x\r\n.\r\nrest', 'x\r\n'],
  ['and at the end of the file', 'x\n.', 'x\r\n'],
  ['but not with -i', 'x\n.\nrest\n', 'x\r\n.\r\nrest\r\n', true],
  ['a dot with more behind it is text', 'x\n..\n.y\n. \n', 'x\r\n..\r\n.y\r\n. \r\n'],
  ['the From line of an mbox goes', 'From bob Mon Nov 23\nA: b\n\nFrom x\n', 'A: b\r\n\r\nFrom x\r\n'],
  ['a From field stays', 'From: bob\n', 'From: bob\r\n'],
  ['nothing stays nothing', '', ''],
  ['a short beginning of From', 'Fro', 'Fro\r\n'],
] as const) {
  test(`what is piped into sendmail: ${title}`, () => assert.equal(read(text, dotsAreText), expected))
}

test('where the input is cut makes no difference', () => {
  const piece = fc.constantFrom('.', '\n', '\r', 'From ', 'x', '.\n', '\r\n', 'From: y')
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat(60)),
      fc.boolean(),
      (pieces, cuts, dots) => {
        const text = pieces.join('')
        assert.equal(read(text, dots, cuts), read(text, dots))
      },
    ),
  )
})
