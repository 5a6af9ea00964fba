import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapEnvelope } from './imap-structure.ts'
import { MessageScanner } from './scan.ts'
import { StoredEnvelope } from './stored-envelope.ts'

function envelopeOf(header: string): StoredEnvelope {
  const scanner = new MessageScanner()
  scanner.push(Buffer.from(`${header}\r\n\r\n`))
  return new StoredEnvelope(imapEnvelope(scanner.finish().envelope))
}

test('The fields of an envelope are read back as text', () => {
  const envelope = envelopeOf(
    'Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nFrom: =?utf-8?q?Jos=C3=A9?= <jose@a.example>\r\nTo: "A \\"B\\"" <a@b.example>, c@d.example\r\nCc: Cooks: e@f.example;\r\nSubject: "Oh \\\\ (well)"',
  )
  assert.equal(envelope.sentDay, Date.UTC(1994, 1, 7))
  assert.equal(envelope.field('FROM'), 'José <jose@a.example>')
  assert.equal(envelope.field('TO'), 'A "B" <a@b.example>\nc@d.example')
  assert.equal(envelope.field('CC'), 'Cooks\ne@f.example\n')
  assert.equal(envelope.field('SUBJECT'), '"Oh \\\\ (well)"')
  assert.equal(envelope.field('BCC'), null)
  assert.equal(envelope.field('X-OTHER'), undefined)
})

test('A message without fields has none', () => {
  const envelope = envelopeOf('X: y')
  assert.deepEqual([envelope.sentDay, envelope.field('SUBJECT'), envelope.field('FROM')], [null, null, null])
})
