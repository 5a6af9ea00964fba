import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { imapBodyStructure } from './imap-structure.ts'
import { scanMessage } from './scan.ts'
import { ForeignStructure, decodeStructure, encodeStructure } from './stored-structure.ts'

const CORPUS = new URL('../../test/corpus/', import.meta.url)

test('every structure of the corpus is the same after it was stored', () => {
  for (const name of readdirSync(CORPUS).filter((file) => file.endsWith('.eml'))) {
    const scan = scanMessage(readFileSync(new URL(name, CORPUS)))
    const text = encodeStructure(scan)
    const stored = decodeStructure(text)
    const { octets, lines, headerOctets, hasHeader, root } = scan
    assert.deepEqual(stored, { octets, lines, headerOctets, hasHeader, root }, name)
    assert.equal(imapBodyStructure(stored.root), imapBodyStructure(root))
    assert.equal(encodeStructure(stored), text)
  }
})

test('an ordinary message takes a few hundred octets', () => {
  const text =
    'Content-Type: multipart/alternative; boundary="----=_Part_1_2"\r\n\r\n' +
    '------=_Part_1_2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx\r\n' +
    '------=_Part_1_2\r\nContent-Type: text/html; charset=utf-8\r\n\r\nx\r\n------=_Part_1_2--\r\n'
  assert.ok(encodeStructure(scanMessage(Buffer.from(text))).length < 250)
})

test('text of another version, or no structure at all, is refused by name', () => {
  for (const text of [
    '',
    '{}',
    'null',
    '[2,0,0,0,0,[]]',
    '[1]',
    '[1,0,0,0,0,[]]',
    '[1,0,0,0,0,[1]]',
    '[1,2,3',
    '"x"',
  ]) {
    assert.throws(() => decodeStructure(text), ForeignStructure, text)
  }
})
