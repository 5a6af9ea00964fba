import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldFilter, fieldNames } from './field-filter.ts'

/** The text that comes out of one that is cut at every given place. */
function filtered(text: string, cuts: readonly number[] = []): string {
  const filter = new FieldFilter(1_000, fieldNames('bcc', 'resent-bcc'))
  const out: Uint8Array[] = []
  let from = 0
  for (const cut of [...cuts, text.length]) {
    out.push(...filter.push(Buffer.from(text.slice(from, cut), 'latin1')))
    from = cut
  }
  out.push(...filter.finish())
  return Buffer.concat(out).toString('latin1')
}

const cases: [title: string, given: string, expected: string][] = [
  ['a message without Bcc', 'To: a@b.example\r\n\r\nBcc: body\r\n', 'To: a@b.example\r\n\r\nBcc: body\r\n'],
  [
    'one field',
    'To: a@b.example\r\nBcc: c@d.example\r\nSubject: x\r\n\r\nb\r\n',
    'To: a@b.example\r\nSubject: x\r\n\r\nb\r\n',
  ],
  [
    'a folded field',
    'bcc: c@d.example,\r\n e@f.example\r\nTo: a@b.example\r\n\r\nb',
    'To: a@b.example\r\n\r\nb',
  ],
  ['several, the last one too', 'Bcc: a\r\nX: y\r\nResent-Bcc: b\r\nBCC : c\r\n\r\nb', 'X: y\r\n\r\nb'],
  ['one with a fold before its colon', 'To: a\r\nBcc \r\n\t: b\r\nX: y\r\n\r\nb', 'To: a\r\nX: y\r\n\r\nb'],
  ['no header at all', 'Do you like ketchup?\r\n\r\nBcc: me\r\n', 'Do you like ketchup?\r\n\r\nBcc: me\r\n'],
  [
    "a mailbox file's own line first",
    'From ada@client.example Mon Jan  1 10:20:30 2024\r\nBcc: me\r\n\r\nb',
    'From ada@client.example Mon Jan  1 10:20:30 2024\r\n\r\nb',
  ],
  ['an empty line first', '\r\nBcc: body\r\n', '\r\nBcc: body\r\n'],
  ['a header and nothing more', 'Bcc: a\r\nTo: b\r\n', 'To: b\r\n'],
  ['nothing', '', ''],
]

for (const [title, given, expected] of cases) {
  test(`Bcc goes: ${title}, however it is cut`, () => {
    assert.equal(filtered(given), expected)
    for (let cut = 0; cut <= given.length; cut++) assert.equal(filtered(given, [cut]), expected)
    assert.equal(
      filtered(
        given,
        [...given].map((_, i) => i),
      ),
      expected,
    )
  })
}

test('a header over its bound passes as it is, and no more than the bound is held', () => {
  const long = `X: ${'y'.repeat(2_000)}\r\nBcc: a\r\n\r\nb`
  assert.equal(filtered(long, [1_500]), long)
})

test('of the named fields only those go that the predicate names, over any number of small pieces', () => {
  const ours = (value: string) => value.startsWith(' us')
  const filter = new FieldFilter(100_000, fieldNames('authentication-results'), ours)
  const others = 'X: y\r\n'.repeat(100)
  const text = `${others}Authentication-Results: us;\r\n spf=pass\r\nAUTHENTICATION-RESULTS : them\r\n\r\nAuthentication-Results: us`
  const out = Array.from(text, (char) => filter.push(Buffer.from(char, 'latin1'))).flat()
  assert.equal(
    Buffer.concat([...out, ...filter.finish()]).toString('latin1'),
    `${others}AUTHENTICATION-RESULTS : them\r\n\r\nAuthentication-Results: us`,
  )
})
