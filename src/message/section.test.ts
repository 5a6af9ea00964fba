import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanMessage } from './scan.ts'
import { type SectionKind, findSection, selectHeaderFields } from './section.ts'

const crlf = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))

/** The example of RFC 3501 §6.4.5, each leaf with its number for text. */
const EXAMPLE = crlf(`Subject: top
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain

1
--a
Content-Type: application/octet-stream

2
--a
Content-Type: message/rfc822

Subject: three
Content-Type: multipart/mixed; boundary=c

--c

3.1
--c
Content-Type: application/octet-stream

3.2
--c--
--a
Content-Type: multipart/mixed; boundary=d

--d
Content-Type: image/gif

4.1
--d
Content-Type: message/rfc822

Subject: four two
Content-Type: multipart/mixed; boundary=e

--e

4.2.1
--e
Content-Type: multipart/alternative; boundary=f

--f

4.2.2.1
--f
Content-Type: text/richtext

4.2.2.2
--f--
--e--
--d--
--a--
`)

function section(octets: Buffer, path: number[], kind: SectionKind = 'all'): string | null {
  const range = findSection(scanMessage(octets), path, kind)
  return range === null ? null : octets.toString('latin1', range.offset, range.offset + range.octets)
}

test('RFC 3501 §6.4.5: each part of the example is found by its number', () => {
  for (const number of ['1', '2', '3.1', '3.2', '4.1', '4.2.1', '4.2.2.1', '4.2.2.2']) {
    assert.equal(section(EXAMPLE, number.split('.').map(Number)), number)
  }
  assert.equal(section(EXAMPLE, []), EXAMPLE.toString('latin1'))
  assert.equal(
    section(EXAMPLE, [], 'header'),
    'Subject: top\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n',
  )
  assert.ok(section(EXAMPLE, [], 'text')?.startsWith('--a\r\n'))
  assert.equal(
    section(EXAMPLE, [3], 'header'),
    'Subject: three\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n',
  )
  assert.ok(section(EXAMPLE, [3], 'text')?.startsWith('--c\r\n'))
  assert.equal(section(EXAMPLE, [3]), section(EXAMPLE, [3], 'header')! + section(EXAMPLE, [3], 'text'))
  assert.equal(section(EXAMPLE, [4, 1], 'mime'), 'Content-Type: image/gif\r\n\r\n')
  assert.ok(section(EXAMPLE, [4, 2], 'header')?.startsWith('Subject: four two\r\n'))
  assert.ok(section(EXAMPLE, [4, 2, 2])?.startsWith('--f\r\n'))
})

test('what is not there is null', () => {
  for (const path of [[0], [5], [1, 1], [2, 1], [3, 3], [4, 2, 3], [-1], [1.5]])
    assert.equal(section(EXAMPLE, path), null)
  assert.equal(section(EXAMPLE, [], 'mime'), null)
  for (const kind of ['header', 'text'] as const) assert.equal(section(EXAMPLE, [1], kind), null)
  assert.equal(section(EXAMPLE, [4], 'header'), null)
})

test('a message that is no multipart has part 1, its body', () => {
  const octets = crlf('Subject: x\n\nbody\n')
  assert.equal(section(octets, [1]), 'body\r\n')
  assert.equal(section(octets, [1], 'mime'), 'Subject: x\r\n\r\n')
  assert.equal(section(octets, [1, 1]), null)
  assert.equal(section(octets, [2]), null)
})

test('a message whose body is a message goes on through it', () => {
  const octets = crlf('Content-Type: message/rfc822\n\nSubject: x\n\nbody\n')
  assert.equal(section(octets, [1], 'header'), 'Subject: x\r\n\r\n')
  assert.equal(section(octets, [1, 1]), 'body\r\n')
  assert.equal(section(octets, [1, 1, 1]), null)
})

test('the header of a message that a delimiter breaks off ends where its part ends', () => {
  const message = crlf(`Content-Type: multipart/digest; boundary=a

--a

Subject: one
--a


--a

no field
--a--
`)
  for (const [number, header] of [
    [1, 'Subject: one'],
    [2, ''],
    [3, 'no field'],
  ] as const) {
    assert.equal(section(message, [number], 'header'), header)
    assert.equal(header + section(message, [number], 'text'), section(message, [number]))
  }
})

test('header fields are chosen by name, with their folds, and end with the empty line', () => {
  const header = crlf('To: a\nSubject: b\n c\nX-To: d\nTO: e\n\n')
  const chosen = (names: string[], not = false) =>
    Buffer.from(selectHeaderFields(header, names, not)).toString()
  assert.equal(chosen(['to', 'nothing']), 'To: a\r\nTO: e\r\n\r\n')
  assert.equal(chosen(['SUBJECT']), 'Subject: b\r\n c\r\n\r\n')
  assert.equal(chosen(['to', 'subject'], true), 'X-To: d\r\n\r\n')
  assert.equal(chosen([]), '\r\n')
  assert.equal(Buffer.from(selectHeaderFields(Buffer.from('a: b'), ['a'], false)).toString(), 'a: b\r\n\r\n')
})
