import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normaliseAddress } from '../store/address.ts'
import { looksRewritten, reverse, rewrite, srsDays } from './srs.ts'

const key = Buffer.alloc(32, 7)
const day = 86_400_000
const now = Date.UTC(2026, 10, 23)

const word = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,12}$/)
const localPart = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join('.'))
const host = fc.constantFrom('crepes.fr', 'news.example', 'a-b.c.example')
const address = fc.tuple(localPart, host).map(([local, domain]) => `${local}@${domain}`)

/** What others do to a local part on its way back must not matter; our own form never begins with SRS. */
const plain = address.filter((one) => !/^srs[01][=+-]/i.test(one))

test('what was rewritten leads back, in any case, for three weeks', () => {
  fc.assert(
    fc.property(plain, fc.nat(srsDays), fc.nat(2_000), (sender, days, later) => {
      const at = now + later * day
      const rewritten = rewrite(key, sender, 'hamburger.edu', at)
      if (rewritten === null) return
      assert.ok(looksRewritten(rewritten) && rewritten.endsWith('@hamburger.edu'))
      assert.notEqual(normaliseAddress(rewritten), null)
      assert.equal(reverse(key, rewritten, at + days * day), sender)
      const lower = reverse(key, rewritten.toLowerCase(), at + days * day)
      assert.equal(lower, sender.toLowerCase())
      assert.equal(reverse(key, rewritten, at + (srsDays + 1) * day), null)
    }),
  )
})

test('an address is rewritten unless it would be too long for others', () => {
  assert.match(
    rewrite(key, 'alice@crepes.fr', 'hamburger.edu', now)!,
    /^SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=crepes\.fr=alice@hamburger\.edu$/,
  )
  const long = `${'a'.repeat(64 - 18 - 'crepes.fr'.length)}@crepes.fr`
  assert.equal(rewrite(key, long, 'hamburger.edu', now)!.indexOf('@'), 64)
  assert.equal(rewrite(key, `a${long}`, 'hamburger.edu', now), null)
  for (const odd of ['"a b"@crepes.fr', 'a@[192.0.2.1]', 'é@crepes.fr', 'alice']) {
    assert.equal(rewrite(key, odd, 'hamburger.edu', now), null, odd)
  }
})

test('each change of one character is noticed, and so is each other key', () => {
  const rewritten = rewrite(key, 'alice@crepes.fr', 'hamburger.edu', now)!
  const at = rewritten.indexOf('@')
  for (let index = 0; index < at; index++) {
    for (const other of 'A2=.z') {
      const changed = rewritten.slice(0, index) + other + rewritten.slice(index + 1)
      if (changed.toLowerCase() === rewritten.toLowerCase()) continue
      assert.equal(reverse(key, changed, now), null, changed)
    }
    assert.equal(reverse(key, rewritten.slice(0, index) + rewritten.slice(index + 1), now), null)
  }
  assert.equal(reverse(Buffer.alloc(32, 8), rewritten, now), null)
  assert.equal(reverse(key, 'SRS0==AA=crepes.fr=alice@hamburger.edu', now), null)
})

test('no text makes us send to somebody this key has not named', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('SRS0=', 'SRS1=', '=', '==', 'AAAAAAAA', 'BC', 'crepes.fr', 'x'),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      assert.equal(reverse(key, `${parts.join('')}@hamburger.edu`, now), null)
    }),
  )
})

test('what another forwarder has rewritten leads back to it, however many there were', () => {
  const theirs = Buffer.alloc(32, 9)
  fc.assert(
    fc.property(plain, (sender) => {
      const first = rewrite(theirs, sender, 'list.example', now)
      const second = first === null ? null : rewrite(key, first, 'hamburger.edu', now)
      if (first === null || second === null) return
      assert.match(second, /^SRS1=[A-Z2-7]{8}=list\.example==/)
      assert.equal(reverse(key, second, now), first)
      assert.equal(reverse(theirs, first, now), sender)
      // A third one leaves the second out.
      const third = rewrite(theirs, second, 'third.example', now)
      if (third !== null) assert.equal(reverse(theirs, third, now), first)
      assert.equal(reverse(theirs, second, now), null)
    }),
  )
  const plus = rewrite(key, 'SRS0+abcd=TT=news.example=bob@old.example', 'hamburger.edu', now)!
  assert.match(plus, /=old\.example=\+abcd=TT=/)
  assert.equal(reverse(key, plus, now), 'SRS0+abcd=TT=news.example=bob@old.example')
})
