import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMail } from './mail.ts'
import { formatMailbox } from './path.ts'
import { Refusal } from './reply.ts'

const announced = new Set(
  'SIZE BODY BINARYMIME SMTPUTF8 AUTH RET ENVID REQUIRETLS HOLDFOR HOLDUNTIL BY MT-PRIORITY'.split(' '),
)
const parse = (args: string, offer: ReadonlySet<string> = announced) => parseMail(args, offer)

test('MAIL takes the empty reverse-path and, in any order and case, what was announced', () => {
  assert.deepEqual(
    parse(
      'FROM:<> size=1000 BODY=8bitmime SMTPUTF8 AUTH=<> RET=hdrs ENVID=QQ314159 RequireTLS MT-PRIORITY=-3',
    ),
    {
      reversePath: null,
      size: 1000,
      body: '8BITMIME',
      smtpUtf8: true,
      auth: '',
      ret: 'HDRS',
      envid: 'QQ314159',
      requireTls: true,
      hold: null,
      deliverBy: null,
      priority: -3,
      solicitation: [],
      parameters: [
        'SIZE=1000',
        'BODY=8bitmime',
        'SMTPUTF8',
        'AUTH=<>',
        'RET=hdrs',
        'ENVID=QQ314159',
        'REQUIRETLS',
        'MT-PRIORITY=-3',
      ],
    },
  )
})

test('RFC 4954 §5: AUTH names in xtext who handed it in', () => {
  assert.equal(parse('FROM:<a@b.example> AUTH=nobody').auth, '')
  assert.equal(parse('FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com').auth, 'e=mc2@example.com')
})

test('RFC 2852, RFC 4865: by when, and not before', () => {
  assert.deepEqual(parse('FROM:<a@b.example> BY=120;R').deliverBy, {
    seconds: 120,
    mode: 'return',
    trace: false,
  })
  assert.deepEqual(parse('FROM:<a@b.example> BY=-5;nt').deliverBy, {
    seconds: -5,
    mode: 'notify',
    trace: true,
  })
  assert.deepEqual(parse('FROM:<a@b.example> HOLDFOR=86400').hold, { kind: 'for', seconds: 86_400 })
  assert.deepEqual(parse('FROM:<a@b.example> HOLDUNTIL=2026-01-02T03:04:05Z').hold, {
    kind: 'until',
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
  })
})

for (const parameters of [
  'SIZE=',
  'SIZE=1e9',
  'SIZE',
  'SIZE=1 SIZE=2',
  'BODY=9BIT',
  'SMTPUTF8=yes',
  'AUTH=+3',
  'AUTH=+00',
  'RET=SOME',
  `ENVID=${'x'.repeat(101)}`,
  'ENVID=+0A',
  'REQUIRETLS=1',
  'HOLDFOR=0',
  'HOLDFOR=1 HOLDUNTIL=2026-01-02T03:04:05Z',
  'HOLDUNTIL=2026-13-02T03:04:05Z',
  'HOLDUNTIL=tomorrow',
  'BY=120',
  'BY=0;R',
  'BY=1234567890;N',
  'MT-PRIORITY=10',
  'MT-PRIORITY=+1',
  '=5',
]) {
  test(`MAIL with ${parameters.slice(0, 40)} is refused with 501`, () =>
    assert.throws(
      () => parse(`FROM:<a@b.example> ${parameters}`),
      (error: unknown) => error instanceof Refusal && error.reply.code === 501,
    ))
}

test('RFC 5321 §4.1.1.11: 555 for a parameter that was not announced', () => {
  for (const parameter of ['SIZE=1', 'BODY=8BITMIME', 'SMTPUTF8', 'RET=FULL', 'HOLDFOR=1', 'XYZ']) {
    assert.throws(
      () => parse(`FROM:<a@b.example> ${parameter}`, new Set()),
      (error: unknown) => error instanceof Refusal && error.reply.code === 555,
    )
  }
  assert.throws(() => parse('FROM:<a@b.example> BODY=BINARYMIME', new Set(['BODY'])), Refusal)
  assert.throws(() => parse('FROM:<a@b.example>SIZE=1'), Refusal)
})

test('RFC 6531 §3.4: UTF-8 in the path only with SMTPUTF8, which stands behind it', () => {
  const path = Buffer.from('FROM:<用户@例え.example>').toString('latin1')
  assert.equal(formatMailbox(parse(`${path} SMTPUTF8`).reversePath!), '用户@xn--r8jz45g.example')
  for (const args of [path, `${path} SIZE=10`, Buffer.from('FROM:<a@例え.example>').toString('latin1')]) {
    assert.throws(
      () => parse(args),
      (error: unknown) => error instanceof Refusal && error.reply.status === '5.6.7',
    )
  }
})
