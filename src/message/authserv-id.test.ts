import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authservId } from './authserv-id.ts'

const cases: [value: string, id: string][] = [
  [' mail.hamburger.edu; spf=pass', 'mail.hamburger.edu'],
  ['mail.hamburger.edu.;none', 'mail.hamburger.edu'],
  [' MAIL.Hamburger.EDU 1; spf=pass', 'mail.hamburger.edu'],
  ['\r\n (us (really) \\) indeed)\r\n\t"mail.hamburger.\\edu" ; none', 'mail.hamburger.edu'],
  [' (left open mail.hamburger.edu; none', ''],
  [' mail.hamburger.edu(a comment) 1; none', 'mail.hamburger.edu'],
  ['', ''],
  [' ; spf=pass', ''],
]

for (const [value, id] of cases) {
  test(`RFC 8601 §2.2: ${JSON.stringify(value)} was made by "${id}"`, () =>
    assert.equal(authservId(value), id))
}
