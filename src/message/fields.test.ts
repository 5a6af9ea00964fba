import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildPrefix, formatField, formatReceived, formatReturnPath } from './fields.ts'
import { headerValues, parseHeader } from './header.ts'
import { scanMessage } from './scan.ts'

const RECEIVED = {
  from: { name: 'client.example', address: '192.0.2.1', reverseName: 'a.client.example' },
  by: 'mx.posthorn.example',
  with: 'ESMTPS',
  id: 'abc123',
  for: 'bob@x.example',
  comment: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  epochMs: Date.UTC(2024, 0, 1),
}

test('a Received field says from, by, with, id, for and when, RFC 5321 §4.4', () => {
  assert.equal(
    formatReceived(RECEIVED),
    'Received: from client.example (a.client.example [192.0.2.1]) by\r\n' +
      ' mx.posthorn.example with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id abc123\r\n' +
      ' for <bob@x.example>; Mon, 01 Jan 2024 00:00:00 +0000\r\n',
  )
  const bare = formatReceived({
    ...RECEIVED,
    from: { name: '', address: '2001:db8::1' },
    for: null,
    comment: null,
  })
  assert.ok(bare.startsWith('Received: from unknown ([IPv6:2001:db8::1]) by'))
  // RFC 6710 §7
  assert.match(formatReceived({ ...RECEIVED, priority: -3 }), / for <bob@x\.example> PRIORITY -3; Mon,/)
})

test('nothing that a client says can begin another field or end the comment', () => {
  const evil = 'x\r\nSubject: y (a) ; <z>\0'
  const text = formatReceived({
    ...RECEIVED,
    from: { name: evil, address: evil, reverseName: evil },
    for: evil,
    comment: evil,
  })
  assert.equal(parseHeader(text).fields.length, 1)
  assert.equal(text.split(';').length, 2)
  assert.equal(formatReturnPath('a\r\nX: y>@b'), 'Return-Path: <aX: y@b>\r\n')
  assert.equal(formatReturnPath(null), 'Return-Path: <>\r\n')
})

test('a field is folded at blanks, without lines of blanks only, and says the same when unfolded', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 300 }).filter((text) => !/[\x00-\x1f\x7f]/.test(text)),
      (text) => {
        const field = formatField('Subject', text)
        assert.match(field, /^Subject:[^\r\n]*\r\n([ ]+[^ \r\n][^\r\n]*\r\n)*$/)
        assert.deepEqual(headerValues(Buffer.from(field), 'subject'), [text.trim()])
        const longest = Math.max(...text.split(' ').map((word) => word.length))
        if (longest < 50 && !text.includes('  ')) {
          for (const line of field.split('\r\n')) assert.ok(line.length <= 78)
        }
      },
    ),
  )
})

test('the prefix of a letter without a header ends with an empty line, so that the trace fields are its header', () => {
  const letter = 'Do you like ketchup?\r\n'
  const fields = [formatReturnPath('alice@crepes.example'), formatReceived(RECEIVED)]
  for (const body of [letter, `Subject: x\r\n\r\n${letter}`, `\r\n${letter}`]) {
    const prefix = buildPrefix(fields, scanMessage(Buffer.from(body)).hasHeader)
    const whole = Buffer.from(prefix + body, 'latin1')
    const scan = scanMessage(whole)
    assert.equal(whole.toString('latin1', scan.headerOctets), letter)
    assert.equal(headerValues(scan, 'return-path')[0], '<alice@crepes.example>')
  }
})

test('the prefix is octets: an address of RFC 6531 stands in it as UTF-8', () => {
  assert.equal(buildPrefix([formatReturnPath('ü@x.example')], true), 'Return-Path: <\xc3\xbc@x.example>\r\n')
})
