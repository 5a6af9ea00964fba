import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { decodeEncodedWords } from '../../src/message/encoded-word.ts'
import { scanMessage } from '../../src/message/scan.ts'
import { partText, textParts } from '../../src/message/text.ts'

/** mailparser ships no types; this is what is used of it. */
interface Parsed {
  readonly subject?: string
  readonly text?: string
}

const require = createRequire(import.meta.url)
const { simpleParser } = require('mailparser') as {
  simpleParser: (octets: Buffer, options: Record<string, boolean>) => Promise<Parsed>
}

const CORPUS = new URL('../corpus/', import.meta.url)

const ENCLOSED = 'the text of an enclosed message or report is not the text of the letter'
const PREFIX = 'RFC 2046 §5.1.1: a line that begins with a boundary is a delimiter'
const AS_TEXT = 'what cannot be read as MIME is shown as text'

/** Where we differ on purpose, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'dovecot-malformed-002.eml': AS_TEXT,
  'dovecot-malformed-004.eml': PREFIX,
  'enmime-erroneous.eml': AS_TEXT,
  'enmime-multipart-wo-boundary.eml': AS_TEXT,
  'python-msg-14.eml': AS_TEXT,
  'enmime-malformed-multiple-address-header-values.eml':
    'a file that is named is an attachment, inline or not',
  'flanker-mailformed-headers.eml': 'a lone 8-bit octet is read as Latin-1',
  'flanker-enclosed-bad-encoding.eml': ENCLOSED,
  'flanker-enclosed-broken.eml': ENCLOSED,
  'flanker-enclosed-global.eml': ENCLOSED,
  'flanker-enclosed.eml': ENCLOSED,
  'python-msg-02.eml': ENCLOSED,
  'python-msg-16.eml': ENCLOSED,
  'python-msg-30.eml': ENCLOSED,
  'python-msg-43.eml': ENCLOSED,
}

const squeeze = (text: string) => text.replace(/\s+/g, ' ').trim()

/** Subject and text, blanks made equal. */
async function theirs(octets: Buffer): Promise<string[]> {
  const { subject = '', text = '' } = await simpleParser(octets, {
    skipHtmlToText: true,
    skipTextToHtml: true,
  })
  return [squeeze(subject), squeeze(text)]
}

function ours(octets: Buffer): string[] {
  const { envelope, root } = scanMessage(octets)
  const plain = textParts(root).filter(({ subtype }) => subtype !== 'html')
  const text = plain.map((part) => partText(octets, part)).join('\n')
  return [squeeze(decodeEncodedWords(envelope.subject ?? '')), squeeze(text)]
}

for (const name of readdirSync(CORPUS).filter((name) => name.endsWith('.eml'))) {
  const octets = readFileSync(new URL(name, CORPUS))
  const reason = DIFFERENT[name]
  if (reason === undefined) {
    test(`mailparser reads the same subject and text in ${name}`, async () => {
      assert.deepEqual(ours(octets), await theirs(octets))
    })
  } else {
    test(`mailparser reads something else in ${name}: ${reason}`, async () => {
      assert.notDeepEqual(ours(octets), await theirs(octets))
    })
  }
}
