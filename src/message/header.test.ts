import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginsHeader, fieldText, headerValues, isFieldLine, parseHeader } from './header.ts'

test('a header is cut into fields with their places; folds, old blanks and junk lines are taken as they come', () => {
  const header =
    'From ada@client.example Mon Jan  1 10:20:30 2024\r\nSubject : A\r\n\tfolded\r\n \r\nno field here\r\nTo:\r\nX:y\r\n\r\nBody: no\r\n'
  const { fields, more } = parseHeader(header, 10, 100)
  assert.equal(more, false)
  assert.deepEqual(
    fields.map(({ name, value }) => [name, fieldText(value)]),
    [
      ['Subject', 'A\tfolded'],
      ['To', ''],
      ['X', 'y'],
    ],
  )
  for (const { name, offset, octets } of fields) {
    const raw = header.slice(offset - 100, offset - 100 + octets)
    assert.ok(raw.startsWith(name) && raw.endsWith('\r\n'))
  }
})

test('a field that is folded before its colon is read as one', () => {
  const header = 'From\r\n : ada@client.example\r\nTo \n\t\r\n :x\r\nCc\r\nBcc: y\r\nno\r\n field: z\r\n'
  assert.deepEqual(
    parseHeader(header).fields.map(({ name, value }) => [name, fieldText(value)]),
    [
      ['From', 'ada@client.example'],
      ['To', 'x'],
      ['Bcc', 'y'],
    ],
  )
})

test('a long first line takes no long time', () => {
  const start = process.cpuUsage()
  assert.equal(beginsHeader(`From ${'a'.repeat(60_000)}`), false)
  assert.equal(beginsHeader(`>From ${'a'.repeat(60_000)} 1:23`), true)
  assert.ok(process.cpuUsage(start).user < 500_000)
})

test('fields beyond the limit are left out, and that is told', () => {
  const { fields, more } = parseHeader('a: 1\r\n'.repeat(11), 10)
  assert.equal(fields.length, 10)
  assert.equal(more, true)
})

const LINES: [string, boolean][] = [
  ['Subject: x', true],
  ['Subject : x', true],
  ['X-!#$%: x', true],
  ['a:', true],
  [':', false],
  [' Subject: x', false],
  ['Do you like ketchup?', false],
  ['Do you: like ketchup?', false],
  ['Größe: x', false],
  ['', false],
]

for (const [line, is] of LINES) {
  test(`"${line}" ${is ? 'begins' : 'does not begin'} a header field`, () =>
    assert.equal(isFieldLine(line), is))
}

test('values are found by name without case, in order, as text', () => {
  const header = Buffer.from('To: a\r\nX: é\r\nTO:  b\r\n c\r\n\r\nto: body\r\n', 'utf8')
  assert.deepEqual(headerValues(header, 'to'), ['a', 'b c'])
  // RFC 6532 §3.2: UTF-8; what is not that is read as Latin-1.
  assert.deepEqual(headerValues(header, 'x'), ['é'])
  assert.deepEqual(headerValues(Buffer.from('X: \xe9\r\n', 'latin1'), 'x'), ['é'])
})

test('a header without a last line end is read to its end', () => {
  assert.deepEqual(headerValues(Buffer.from('a: 1\r\nb: 2'), 'b'), ['2'])
  assert.deepEqual(headerValues(Buffer.from('a:'), 'a'), [''])
})
