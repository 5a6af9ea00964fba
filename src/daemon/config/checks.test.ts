import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultChecks } from '../../base/checks-config.ts'
import { parseConfig } from '../load-config.ts'

const read = (text: string) =>
  parseConfig(`hostname = "mx.posthorn.example"\n${text}`, '/etc/posthorn/posthorn.toml').config.checks

test('without a word about checks all are on', () => {
  assert.deepEqual(read(''), defaultChecks)
})

test('checks are read', () => {
  assert.deepEqual(
    read('[checks]\nspf = "refuse"\ndmarc = "judge"\ntrusted_arc = ["Lists.example"]\njudge_trusted = true'),
    { spf: 'refuse', dkim: true, dmarc: 'judge', trustedArc: ['lists.example'], judgeTrusted: true },
  )
  // Nobody can say that nothing passed who has not looked.
  assert.equal(read('[checks]\ndkim = false').dmarc, 'judge')
})

test('what does not fit is refused', () => {
  assert.throws(
    () => read('[checks]\ndkim = false\ndmarc = "enforce"'),
    /needs to know what DKIM and SPF say/,
  )
  assert.throws(() => read('[checks]\ntrusted_arc = ["not a domain"]'), /is not a domain/)
  assert.throws(() => read('[checks]\nspf = "yes"'), /checks.spf is "yes"/)
})
