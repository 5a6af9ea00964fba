import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRcpt } from './rcpt.ts'
import { Refusal } from './reply.ts'

const offer = { dsn: true, utf8: false }

test('RFC 3461 §4: what a recipient is to be told about, and what the address was', () => {
  const command = parseRcpt(
    'TO:<bob@hamburger.edu> NOTIFY=success,Delay ORCPT=rfc822;Bob+2Bx@Hamburger.EDU',
    offer,
  )
  assert.equal(command.notify, 'SUCCESS,DELAY')
  assert.equal(command.orcpt, 'rfc822;Bob+2Bx@Hamburger.EDU')
  assert.deepEqual(command.parameters, ['NOTIFY=success,Delay', 'ORCPT=rfc822;Bob+2Bx@Hamburger.EDU'])
  assert.equal(parseRcpt('TO:<bob@hamburger.edu> NOTIFY=never', offer).notify, 'NEVER')
})

test('RFC 6533 §3: an original recipient in UTF-8', () => {
  const utf8 = Buffer.from('TO:<bob@hamburger.edu> ORCPT=utf-8;用户@例え.example').toString('latin1')
  assert.equal(parseRcpt(utf8, { dsn: true, utf8: true }).orcpt, 'utf-8;用户@例え.example')
  assert.throws(() => parseRcpt(utf8, offer), Refusal)
  const seven = 'utf-8;\\x{7528}\\x{6237}@hamburger.edu'
  assert.equal(parseRcpt(`TO:<bob@hamburger.edu> ORCPT=${seven}`, offer).orcpt, seven)
})

for (const parameters of [
  'NOTIFY',
  'NOTIFY=',
  'NOTIFY=NEVER,SUCCESS',
  'NOTIFY=SUCCESS,SUCCESS',
  'NOTIFY=SOMETIMES',
  'ORCPT=bob',
  'ORCPT=rfc822;',
  'ORCPT=rfc822;a+2',
  `ORCPT=rfc822;${'a'.repeat(500)}`,
  'ORCPT=rfc822;a ORCPT=rfc822;b',
]) {
  test(`RCPT with ${parameters.slice(0, 40)} is refused with 501`, () =>
    assert.throws(
      () => parseRcpt(`TO:<bob@hamburger.edu> ${parameters}`, offer),
      (error: unknown) => error instanceof Refusal && error.reply.code === 501,
    ))
}

test('RFC 5321 §4.1.1.11: 555 for a parameter that was not announced', () =>
  assert.throws(
    () => parseRcpt('TO:<bob@hamburger.edu> NOTIFY=NEVER', { dsn: false, utf8: false }),
    (error: unknown) => error instanceof Refusal && error.reply.code === 555,
  ))
