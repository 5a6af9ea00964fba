import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRejects } from '../../base/rejects-config.ts'
import { parseConfig } from '../load-config.ts'

const read = (toml: string) =>
  parseConfig(`hostname = "mail.hamburger.edu"\n${toml}`, '/x/posthorn.toml').config

test('no copies of refused mail unless a mailbox is named', () => {
  assert.deepEqual(read('').rejects, defaultRejects)
  const { mailbox, ageMs, messages } = read('[rejects]\nmailbox = "Rejects"\ndays = 2\nmessages = 5').rejects
  assert.deepEqual([mailbox, ageMs, messages], ['Rejects', 2 * 86_400_000, 5])
})

test('a mailbox that every account has is never cleared of copies', () => {
  for (const name of ['INBOX', 'archive', 'Sent', '', 'a/b', '*'])
    assert.throws(() => read(`[rejects]\nmailbox = "${name}"`), /rejects\.mailbox (?:cannot be|is empty)/)
})

test('senders of forwarded mail are rewritten unless it is turned off', () => {
  assert.equal(read('').forwarding.srs, true)
  assert.equal(read('[forwarding]\nsrs = false').forwarding.srs, false)
})
