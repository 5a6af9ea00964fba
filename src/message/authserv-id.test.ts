import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForgedResult, readAuthservId } from './authserv-id.ts'

const cases: [value: string, id: string | null, version?: string][] = [
  [' mail.hamburger.edu; spf=pass', 'mail.hamburger.edu'],
  ['mail.hamburger.edu.;none', 'mail.hamburger.edu'],
  [' MAIL.Hamburger.EDU 1; spf=pass', 'mail.hamburger.edu', '1'],
  ['\r\n (us (really) \\) indeed)\r\n\t"mail.hamburger.\\edu" ; none', 'mail.hamburger.edu'],
  [' mail.hamburger.edu(a comment) 1; none', 'mail.hamburger.edu', '1'],
  [' mail.hamburger.edu(a comment)\r\n 02 (another); none', 'mail.hamburger.edu', '02'],
  [' mail.hamburger.edu', 'mail.hamburger.edu'],
  [' Gr\xc3\xbc\xc3\x9fe.example; none', 'xn--gre-6ka8l.example'],
  [' (left open mail.hamburger.edu; none', null],
  [' mail.hamburger.edu (left open; none', null],
  [' mail.hamburger.edu/1; none', null],
  [' mail.hamburger.edu x; none', null],
  [' "mail.hamburger.edu; none', null],
  [' spf=pass; mail.hamburger.edu', null],
  ['', null],
  [' ; spf=pass', null],
]

for (const [value, id, version = null] of cases) {
  test(`RFC 8601 §2.2: ${JSON.stringify(value)} was made by ${id}`, () =>
    assert.deepEqual(readAuthservId(value), id === null ? null : { id, version }))
}

const ours = 'mail.hamburger.edu'
const fields: [value: string, forged: boolean][] = [
  [' mail.hamburger.edu; dmarc=pass', true],
  [' (them) "MAIL.hamburger.edu." 1; dmarc=pass', true],
  // Nothing in it says that it is ours; how long it is makes no difference.
  [` mx.lists.example; dkim=pass header.d=${'x'.repeat(100_000)}`, false],
  [' mx.lists.example; dkim=pass (for mail.hamburger.edu)', false],
  [' (mail.hamburger.edu) mx.lists.example; none', false],
  [' xmail.hamburger.edu; none', false],
  [' hamburger.edu; none', false],
  // §5: a version that nobody here knows.
  [' mx.lists.example 2; dkim=pass', true],
  [' mx.lists.example 1; dkim=pass', false],
  // Unreadable: somebody else's, and what may be taken for ours.
  [' mx.lists.example, x; dkim=pass', false],
  [' mail.hamburger.edu, x; dkim=pass', true],
  [' (left open mail.hamburger.edu; dkim=pass', true],
  [' mail.hamburger.edu\x00; dmarc=pass', true],
  [' "mail.ham\\burger.edu" x; dmarc=pass', true],
  [` ${'(x'.repeat(50_000)} mail.hamburger.edu; dmarc=pass`, true],
]

for (const [value, forged] of fields) {
  test(`RFC 8601 §5: ${JSON.stringify(value.slice(0, 60))} ${forged ? 'goes' : 'stays'}`, () =>
    assert.equal(isForgedResult(value, ours), forged))
}

test('a name in U-labels is ours as well', () => {
  assert.equal(isForgedResult(' gr\xc3\xbc\xc3\x9fe.example; dmarc=pass', 'xn--gre-6ka8l.example'), true)
  assert.equal(isForgedResult(' gr\xc3\xbc\xc3\x9fe.example, x; dmarc=pass', 'xn--gre-6ka8l.example'), true)
})
