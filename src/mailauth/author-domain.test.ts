import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAuthorDomain } from './author-domain.ts'

const of = (value: string) => readAuthorDomain([{ name: 'From', value }])

for (const value of [
  'ceo@bank.example',
  '"Doe, John" <j@bank.example>, a@BANK.example.',
  'Doe, John <j@bank.example>',
  'Müller, Jörg (Büro) <j@bank.example>',
  'a@bank.example (Comment (nested))',
  '"ceo@x"@bank.example',
  '<@relay.example,@r2.example:ceo@bank.example>',
  '<@[IPv6:::1]:ceo@bank.example>',
  'Group: a@bank.example, B <b@bank.example>;',
  ', a@bank.example,,',
  'CEO <ceo @ bank (x) .\r\n\texample>',
  'John [Jack] <j@bank.example>',
  '(a@evil.example) ceo(@evil.example)@bank.example',
  'CEO <ceo@bank.example',
  '"x" "y" <ceo@bank.example>',
  'ceo@bank.example, undisclosed:;',
  'root <root>, <>, ceo@bank.example',
  // What is shown as a name is the reader's part: docs/attacks.md.
  'bob@evil.example <ceo@bank.example>',
  '"bob@evil.example\\" <ceo@bank.example>',
]) {
  test(`the author of ${JSON.stringify(value)} is of bank.example`, () =>
    assert.equal(of(value), 'bank.example'))
}

for (const value of [
  '',
  '<>',
  'Mailer-Daemon',
  'undisclosed-recipients:;',
  'a@[192.0.2.1]',
  'a@[1.2.3.4',
  'ceo@bank.example, bob@evil.example',
  'ceo@bank.example, bob@sub.bank.example',
  '<bob@evil.example> ceo@bank.example',
  '<bob@evil.example>ceo@bank.example',
  '<bob@evil.example> <ceo@bank.example>',
  '<<ceo@bank.example>>',
  '<ceo@bank.example>\\,<bob@evil.example>',
  'ceo@bank.example bob@evil.example',
  'ceo@bank.example@evil.example',
  '<ceo@bank.example@evil.example>',
  'ceo@bank example',
  'ceo@bank.example>',
  'ceo@bank.example; bob@evil.example',
  'ceo@bank.example (comment',
  'ceo@bank.example: bob@evil.example;',
  'ceo@bank.example <@evil.example>',
  '"ceo@bank.example", bob@evil.example',
  '=?utf-8?q?=3Cceo=40bank.example=3E?=, <bob@evil.example>',
  'ceo＠bank.example, <bob@evil.example>',
  'ceo@bank\u00a0.example',
  'ceo@bank\u3000.example',
  'u@, ceo@bank.example',
  'ceo@bank.example <>, bob@evil.example',
  '<ceo＠bank.example>, bob@evil.example',
  'u@.',
  `${'bob@evil.example, '.repeat(2_000)}ceo@bank.example`,
]) {
  test(`of ${JSON.stringify(value.slice(0, 60))} nobody can say who is the author`, () =>
    assert.equal(of(value), null))
}

test('a From field takes no long time, whatever is in it', () => {
  const start = process.cpuUsage()
  for (const open of [
    '"',
    '(',
    '[',
    '<',
    '<@',
    '\\',
    '"\\',
    'a@',
    ',',
    ';',
    ':',
    ' ',
    '. ',
    'a ',
    '=?',
    '>',
  ]) {
    of(open.repeat(100_000))
    of(`${open[0]}${`\\${open}`.repeat(50_000)}<`)
  }
  assert.ok(process.cpuUsage(start).user < 5_000_000)
})
