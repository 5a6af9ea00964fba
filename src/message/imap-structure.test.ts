import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { imapBody, imapBodyStructure, imapEnvelope } from './imap-structure.ts'
import { scanMessage } from './scan.ts'

const crlf = (lines: string[]) => Buffer.from(lines.join('\r\n'), 'utf8')

test('RFC 3501 §8: the message of the sample connection', () => {
  const header = crlf([
    'Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
    'From: Terry Gray <gray@cac.washington.edu>',
    'Subject: IMAP4rev1 WG mtg summary and minutes',
    'To: imap@cac.washington.edu',
    'cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>',
    'Message-Id: <B27397-0100000@cac.washington.edu>',
    'MIME-Version: 1.0',
    'Content-Type: TEXT/PLAIN; CHARSET=US-ASCII',
    '',
    '',
  ])
  const body =
    Buffer.from('x'.repeat(30) + '\r\n')
      .toString()
      .repeat(91) +
    'x'.repeat(114) +
    '\r\n'
  const scan = scanMessage(Buffer.concat([header, Buffer.from(body)]))
  assert.equal(scan.headerOctets, 342)
  assert.equal(
    imapEnvelope(scan.envelope),
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ' +
      '(("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ' +
      '((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL ' +
      '"<B27397-0100000@cac.washington.edu>")',
  )
  assert.equal(imapBody(scan.root), '("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 3028 92)')
})

test('RFC 3501 §7.4.2: a text, a patch sent as a file, and a message inside', () => {
  const octets = crlf([
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Language: en, de',
    '',
    '--b',
    '',
    'Hello',
    '--b',
    'Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff',
    'Content-ID: <960723163407.20117h@cac.washington.edu>',
    'Content-Description: Compiler diff',
    'Content-Transfer-Encoding: BASE64',
    'Content-Disposition: attachment; filename="cc.diff"',
    'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==',
    'Content-Location: http://www.example/cc.diff',
    '',
    'YWJj',
    '--b',
    'Content-Type: message/rfc822',
    '',
    'Subject: inside',
    '',
    'one',
    'two',
    '--b--',
    '',
  ])
  const { root } = scanMessage(octets)
  const plain = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit"'
  const patch =
    '("text" "plain" ("charset" "US-ASCII" "name" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 4 1'
  const inside = '("message" "rfc822" NIL NIL NIL "7bit" 27 (NIL "inside" NIL NIL NIL NIL NIL NIL NIL NIL)'
  assert.equal(imapBody(root), `(${plain} 5 1)${patch})${inside} ${plain} 8 2) 4) "mixed")`)
  const none = 'NIL NIL NIL NIL'
  assert.equal(
    imapBodyStructure(root),
    `(${plain} 5 1 ${none})` +
      `${patch} "Q2hlY2sgSW50ZWdyaXR5IQ==" ("attachment" ("filename" "cc.diff")) NIL "http://www.example/cc.diff")` +
      `${inside} ${plain} 8 2 ${none}) 4 ${none}) "mixed" ("boundary" "b") NIL ("en" "de") NIL)`,
  )
})

test('groups are marked by NIL hosts', () => {
  const { envelope } = scanMessage(Buffer.from('To: G: a@b;\r\nCc: none\r\n\r\n'))
  assert.ok(imapEnvelope(envelope).includes('((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL))'))
  assert.ok(imapEnvelope(envelope).includes('((NIL NIL "none" ""))'))
})

test('RFC 5322 §4.4: the route of an address is its adl', () => {
  const { envelope } = scanMessage(Buffer.from('From: A <@a.x ,@b.x:c@d.x>\r\nTo: <@r@s:e@f>\r\n\r\n'))
  const text = imapEnvelope(envelope)
  assert.ok(text.includes('(("A" "@a.x,@b.x" "c" "d.x"))'), text)
  assert.ok(text.includes('((NIL "@r,@s" "e" "f"))'), text)
})

test('RFC 2047: encoded words stay as they are when a tab folds the field, and are encoded once beside 8-bit text', () => {
  const word = '=?utf-8?B?R3LDvMOfZQ==?='
  const subject = (text: string) => {
    const told = imapEnvelope(scanMessage(Buffer.from(`Subject: ${text}\r\n\r\n`)).envelope)
    return /^\(NIL "(.*)" NIL NIL NIL/.exec(told)?.[1]
  }
  assert.equal(subject(`${word}\r\n\t${word}`), `${word} ${word}`)
  assert.equal(subject(`one\r\n\ttwo ${word}`), `one two ${word}`)
  assert.equal(subject(`größer ${word} x`), '=?utf-8?Q?gr=C3=B6=C3=9Fer_Gr=C3=BC=C3=9Fe?= x')
})

test('what is not ASCII becomes encoded words in the envelope, and RFC 2231 in parameters', () => {
  const octets = crlf([
    'Subject: Grüße "an" alle\\',
    'From: Jörg <jörg@example>',
    "Content-Type: application/x; name=größe.txt; a*=iso-8859-1''%e9%0d%0a",
    'Content-Description: Übersicht',
    'Content-Location: http://example/ü',
    '',
    '',
  ])
  const { envelope, root } = scanMessage(octets)
  assert.ok(imapEnvelope(envelope).includes('"=?utf-8?Q?Gr=C3=BC=C3=9Fe?= \\"an\\" alle\\\\"'))
  assert.ok(
    imapEnvelope(envelope).includes('("=?utf-8?Q?J=C3=B6rg?=" NIL "=?utf-8?Q?j=C3=B6rg?=" "example")'),
  )
  assert.equal(
    imapBodyStructure(root),
    '("application" "x" ("name*" "utf-8\'\'gr%C3%B6%C3%9Fe.txt" "a*" "utf-8\'\'%C3%A9%0D%0A") NIL ' +
      '"=?utf-8?Q?=C3=9Cbersicht?=" "7bit" 0 NIL NIL NIL "http://example/%C3%BC")',
  )
})

test('an enclosed message that was not looked into is told as data, so that the grammar holds', () => {
  const text = 'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n'
  assert.equal(
    imapBody(scanMessage(Buffer.from(text)).root),
    '("application" "octet-stream" NIL NIL NIL "base64" 6)',
  )
})

/** Reads one parenthesised list; anything but atoms, numbers, quoted strings and lists is an error. */
function readList(text: string): unknown {
  let at = 0
  const value = (): unknown => {
    if (text[at] === '(') {
      const list: unknown[] = []
      for (at++; text[at] !== ')'; ) {
        list.push(value())
        if (text[at] === ' ') at++
      }
      at++
      return list
    }
    const match = /^(?:"((?:[^"\\\r\n\0]|\\["\\])*)"|NIL|\d+)/.exec(text.slice(at))
    assert.ok(match, text.slice(at, at + 50))
    at += match[0].length
    return match[0]
  }
  const result = value()
  assert.equal(at, text.length)
  return result
}

test('whatever a message holds, the texts are 7-bit lists of quoted strings', () => {
  const piece = fc.constantFrom(
    'Content-Type: ',
    'text/plain',
    'multipart/mixed; boundary=b',
    'message/rfc822',
    '\r\n',
    '\r\n\r\n',
    '--b\r\n',
    '--b--',
    '"',
    '\\',
    '\0',
    '\r',
    '\n ',
    'é',
    '\xff',
    '=?utf-8?Q?=0D=0A=00?=',
    '(',
    ')',
    '{3}',
    'Subject: ',
    'From: ',
    '; name=',
    "; n*=utf-8''%0d%0a%00%e9",
    '<a@b>',
    ':',
    ';',
    'Content-Disposition: ',
    'Content-ID: ',
    'Content-Language: ',
    'Content-Transfer-Encoding: ',
    '😀',
    '\t',
    '\x7f',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.constantFrom('utf8', 'latin1'), (pieces, encoding) => {
      const octets = Buffer.from('MIME-Version: 1.0\r\n' + pieces.join(''), encoding as BufferEncoding)
      const { envelope, root } = scanMessage(octets)
      for (const text of [imapEnvelope(envelope), imapBody(root), imapBodyStructure(root)]) {
        assert.match(text, /^[ -~]*$/)
        readList(text)
      }
    }),
    { numRuns: 3000 },
  )
})
