import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeEnvelope, messageIds, reduceSubject } from './envelope.ts'
import { parseHeader } from './header.ts'

const envelopeOf = (header: string) => makeEnvelope(parseHeader(header).fields)

test('Sender and Reply-To are From when they are absent or empty, RFC 3501 §7.4.2', () => {
  const envelope = envelopeOf('From: Ada <ada@client.example>\r\nSender:\r\n')
  assert.deepEqual(envelope.sender, envelope.from)
  assert.deepEqual(envelope.replyTo, [{ name: 'Ada', mailbox: 'ada', host: 'client.example' }])
})

test('several To fields are one list, of other fields the first counts', () => {
  const envelope = envelopeOf('To: a@b\r\nFrom: c@d\r\nTo: e@f\r\nFrom: g@h\r\nSubject: 1\r\nSubject: 2\r\n')
  assert.deepEqual(
    envelope.to.map(({ mailbox }) => mailbox),
    ['a', 'e'],
  )
  assert.deepEqual(
    envelope.from.map(({ mailbox }) => mailbox),
    ['c'],
  )
  assert.equal(envelope.subject, '1')
})

test('absent is null, empty is empty, folds are gone, encoded words are left', () => {
  const envelope = envelopeOf(
    'Subject:\r\nDate: Mon,\r\n 1 Jan\r\nMessage-ID: <a@b>\r\nReferences: <x@y>\r\n\t<z@y>\r\n',
  )
  assert.equal(envelope.subject, '')
  assert.equal(envelope.date, 'Mon, 1 Jan')
  assert.equal(envelope.inReplyTo, null)
  assert.deepEqual(envelope.references, ['<x@y>', '<z@y>'])
  assert.equal(envelopeOf('Subject: =?utf-8?Q?a?=\r\n').subject, '=?utf-8?Q?a?=')
})

test('addresses are counted over all fields', () => {
  const fields = parseHeader('To: a@b, c@d, e@f\r\nCc: g@h, i@j\r\n').fields
  const envelope = makeEnvelope(fields, 4)
  assert.equal(envelope.to.length + envelope.cc.length, 4)
})

test('however many addresses stand above them, the authors are read, and no more than ten of each field', () => {
  const to = `To: ${'a@b, '.repeat(2000)}c@d\r\n`.repeat(6)
  const many = 'x@y, '.repeat(50)
  const header = `${to}From: Ada <ada@client.example>\r\nSender: s@t\r\nReply-To: ${many}z@y\r\nCc: e@f\r\n`
  const envelope = makeEnvelope(parseHeader(header).fields, 10_000)
  assert.equal(envelope.to.length, 10_000)
  assert.deepEqual(envelope.from, [{ name: 'Ada', mailbox: 'ada', host: 'client.example' }])
  assert.deepEqual(envelope.sender, [{ name: null, mailbox: 's', host: 't' }])
  assert.equal(envelope.replyTo.length, 10)
  assert.deepEqual(envelope.cc, [])
})

test('message identifiers are found among anything else', () => {
  // RFC 5322 appendix A.6.3
  assert.deepEqual(messageIds('<1234   @   local(blah)  .machine .example>'), [
    '<1234@local.machine.example>',
  ])
  assert.deepEqual(messageIds('Your letter of Monday <a@b>, <c@d><e@f> <> <g'), ['<a@b>', '<c@d>', '<e@f>'])
  assert.deepEqual(messageIds('<'.repeat(100_000)), [])
  assert.equal(messageIds('<a>'.repeat(100_000)).length, 1000)
})

const SUBJECTS: [subject: string, base: string, reply: boolean][] = [
  ['Hello', 'Hello', false],
  ['Re: Hello', 'Hello', true],
  ['RE:Hello', 'Hello', true],
  ['Re : Fwd: fw: Hello', 'Hello', true],
  ['Re[2]: Hello', 'Hello', true],
  ['[list] Re: Hello', 'Hello', true],
  ['[list] Hello', 'Hello', false],
  ['Re: [list] [other] Hello', 'Hello', true],
  ['[list]', '[list]', false],
  ['Hello (fwd)', 'Hello', true],
  ['Hello (fwd) (FWD) ', 'Hello', true],
  ['[Fwd: Re: Hello (fwd)]', 'Hello', true],
  ['  Hello   \t world ', 'Hello world', false],
  ['=?utf-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=', 'Grüße', true],
  ['Regarding: x', 'Regarding: x', false],
  ['Re:', '', true],
  ['', '', false],
]

for (const [subject, base, reply] of SUBJECTS) {
  test(`the base of subject ${JSON.stringify(subject)} is ${JSON.stringify(base)}`, () => {
    assert.deepEqual(reduceSubject(subject), { base, reply })
  })
}

test('a subject made of marks only is reduced within a bound', () => {
  for (const piece of ['Re:', '[a]', '(fwd)', '[fwd:', 're [', '[a] re']) {
    assert.ok(reduceSubject(piece.repeat(50_000)).base.length <= 1000)
  }
})
