import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeMailboxName, decodeModifiedUtf7, encodeMailboxName } from './mailbox-name.ts'

test('RFC 3501 §5.1.3: the examples', () => {
  assert.equal(decodeModifiedUtf7('~peter/mail/&U,BTFw-/&ZeVnLIqe-'), '~peter/mail/台北/日本語')
  assert.equal(encodeMailboxName('~peter/mail/台北/日本語'), '~peter/mail/&U,BTFw-/&ZeVnLIqe-')
  assert.equal(encodeMailboxName('R&D'), 'R&-D')
})

const refused = {
  'not closed': '&U,BTFw',
  'null shift between two runs': '&Jjo-&Jjo-',
  'printable ASCII in base64': '&AGE-',
  'a control in base64': '&AAo-',
  NUL: '&AAA-',
  'half a surrogate pair': '&2D0-',
  'bits left over': '&U,BTFx-',
  'a whole char left over': '&U,BTFwA-',
  'a slash of ordinary base64': '&U/BTFw-',
  '8-bit': 'caf\xe9',
  'a control': 'a\tb',
  'nothing shifted': '&=-',
}
for (const [what, wire] of Object.entries(refused)) {
  test(`A mailbox name is refused: ${what}`, () => assert.equal(decodeModifiedUtf7(wire), null))
}

test('INBOX is INBOX in any case, and only as a whole part', () => {
  assert.equal(decodeMailboxName('inBox'), 'INBOX')
  assert.equal(decodeMailboxName('Inbox/Work'), 'INBOX/Work')
  assert.equal(decodeMailboxName('Inboxes'), 'Inboxes')
})

test('What is written is read again, and has one form only', () => {
  const name = fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .filter((text) => !/[\x00-\x1f\x7f-\x9f]/.test(text) && text.isWellFormed())
  fc.assert(fc.property(name, (text) => assert.equal(decodeModifiedUtf7(encodeMailboxName(text)), text)))
  const wire = fc.string({
    unit: fc.constantFrom('&', '-', 'A', 'G', 'E', 'a', ',', 'U', 'B', 'T', 'w', '2', 'D'),
  })
  fc.assert(
    fc.property(wire, (text) => {
      const decoded = decodeModifiedUtf7(text)
      if (decoded !== null) assert.equal(encodeMailboxName(decoded), text)
    }),
    { numRuns: 2000 },
  )
})
