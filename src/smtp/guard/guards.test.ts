import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardWorld } from './guard-fixture.ts'

const alice = 'alice@crepes.example'
const bob = 'bob@hamburger.example'

test('a good sender is not held up, asks no DNS and leaves no note', async () => {
  const { come, resolver, notes } = guardWorld()
  const visit = come()
  assert.equal(await visit.connect(), 'ok')
  assert.equal(await visit.mail(alice), 'ok')
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.equal(await visit.data(), 'ok')
  assert.equal(await visit.end({ recipients: [bob] }, 'Subject: Ketchup\r\n\r\n'), 'ok')
  assert.equal(visit.waitedMs, 0)
  assert.deepEqual(resolver.asked, [])
  assert.deepEqual([...notes.list('known-sender')], [])
})

test('who talks before the greeting is sent away, unless trusted or submitting', async () => {
  const { come } = guardWorld()
  assert.match(await come({ waitingOctets: 4 }).connect(), /^554 5\.5\.1/)
  assert.equal(await come({ waitingOctets: 4, trusted: true }).connect(), 'ok')
  assert.equal(await come({ waitingOctets: 4, role: 'submission' }).connect(), 'ok')
})

test('with a delay, octets that come meanwhile count', async () => {
  const { come } = guardWorld({ limits: { greetingDelayMs: 2_000 } })
  let octets = 0
  const visit = come({
    get waitingOctets() {
      return octets
    },
  })
  const answer = visit.connect()
  octets = 6
  assert.match(await answer, /^554/)
  const patient = come()
  assert.equal(await patient.connect(), 'ok')
  assert.ok(patient.waitedMs >= 2_000)
})

test('one address may begin so many messages and name so many recipients in an hour', async () => {
  const { come, clock } = guardWorld({ limits: { messagesPerHour: 2, recipientsPerHour: 3 } })
  const visit = come()
  for (const path of ['a', 'b', 'c']) assert.equal(await visit.rcpt(`${path}@hamburger.example`), 'ok')
  assert.match(await visit.rcpt(bob), /^450 4\.7\.1/)
  assert.equal(await visit.mail(alice), 'ok')
  assert.equal(await come().mail(alice), 'ok')
  assert.match(await come().mail(alice), /^450 4\.7\.1/)
  assert.equal(await come({ remoteAddress: '192.0.2.8' }).mail(alice), 'ok')
  clock.advance(3_600_000)
  assert.equal(await come().mail(alice), 'ok')
  assert.equal(await come().rcpt(bob), 'ok')
})

test('unknown recipients are answered later and later, then the connection ends, then the address is banned', async () => {
  const limits = { unknownRecipients: 2, tarpitStepMs: 1_000, tarpitMaxMs: 3_000, banUnknownRecipients: 8 }
  const { come, guards } = guardWorld({ limits })
  const waits: number[] = []
  const answers: string[] = []
  for (let i = 0; i < 7; i++) {
    const visit = come()
    answers.push((await visit.rcpt(`nobody${i}@hamburger.example`, false)).slice(0, 3))
    waits.push(visit.waitedMs)
    assert.equal(guards.bans.find('192.0.2.7'), null)
  }
  assert.deepEqual(answers, ['ok', 'ok', 'ok', 'ok', '421', '421', '421'])
  assert.deepEqual(waits, [0, 0, 1_000, 2_000, 3_000, 3_000, 3_000])
  await come().rcpt('nobody@hamburger.example', false)
  assert.equal(await come().rcpt(bob), 'ok')
  await come().rcpt('nobody@hamburger.example', false)
  assert.match(guards.bans.find('192.0.2.7')?.reason ?? '', /many who are not here/)
  assert.equal(guards.bans.find('192.0.2.8'), null)
})

test('a report has one recipient; the second is for another transaction', async () => {
  const { come } = guardWorld()
  const visit = come()
  await visit.mail('')
  assert.equal(await visit.rcpt('nobody@hamburger.example', false), 'ok')
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.match(await visit.rcpt('carol@hamburger.example'), /^452 4\.5\.3/)
  await visit.mail('')
  assert.equal(await visit.rcpt('carol@hamburger.example'), 'ok')
  await visit.mail(alice)
  for (const path of [bob, 'carol@hamburger.example']) assert.equal(await visit.rcpt(path), 'ok')
})

test('a sender to whom no report could go is refused for good, one that DNS does not tell of for now', async () => {
  const dns = {
    'crepes.example': { MX: [{ preference: 10, exchange: 'mx.crepes.example' }] },
    'null.example': { MX: [{ preference: 0, exchange: '' }] },
    'address.example': { AAAA: ['2001:db8::1'] },
    'nothing.example': { TXT: ['v=spf1 -all'] },
    'broken.example': 'servfail' as const,
    'half.example': { A: 'timeout' as const, TXT: ['x'] },
    'mixed.example': { MX: 'timeout' as const, A: ['192.0.2.1'] },
  }
  const { come } = guardWorld({ config: { senderDomain: true }, dns })
  for (const [path, answer] of [
    [alice, 'ok'],
    ['', 'ok'],
    ['a@[192.0.2.1]', 'ok'],
    ['a@address.example', 'ok'],
    ['a@null.example', '550 5.7.27'],
    ['a@nothing.example', '550 5.1.8'],
    ['a@absent.example', '550 5.1.8'],
    ['a@broken.example', '451 4.4.3'],
    ['a@half.example', '451 4.4.3'],
    ['a@mixed.example', '451 4.4.3'],
  ] as const)
    assert.equal((await come().mail(path)).slice(0, answer.length), answer, path)
  assert.equal(await come({ trusted: true }).mail('a@absent.example'), 'ok')
})

test('greylisting, RFC 6647: put off once, known afterwards with all of the domain', async () => {
  const { come, clock } = guardWorld({ config: { greylist: true } })
  const send = async (from = alice, to = bob, remoteAddress = '192.0.2.7'): Promise<string> => {
    const visit = come({ remoteAddress })
    await visit.mail(from)
    return visit.rcpt(to)
  }
  assert.match(await send(), /^450 4\.7\.1 Greylisted, try again in 60 seconds/)
  clock.advance(59_000)
  assert.match(await send(), /in 1 seconds/)
  clock.advance(1_000)
  assert.equal(await send(alice, bob, '192.0.2.99'), 'ok', 'from the machine beside')
  assert.equal(await send('carl@crepes.example', 'carol@hamburger.example'), 'ok', 'known now')
  assert.match(await send('carl@other.example'), /^450/)
  assert.match(await send(alice, bob, '198.51.100.1'), /^450/)
  clock.advance(37 * 86_400_000)
  assert.match(await send(), /^450/, 'forgotten')
  clock.advance(3 * 86_400_000)
  assert.match(await send(), /60 seconds/, 'came again too late')
  assert.equal(await come({ trusted: true }).rcpt(bob), 'ok')
})

test('greylisting puts a null reverse-path off at DATA: who only verifies an address is answered', async () => {
  const { come, clock } = guardWorld({ config: { greylist: true } })
  const visit = come()
  await visit.mail('')
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.match(await visit.data(), /^450 4\.7\.1/)
  await visit.mail(alice)
  assert.equal(await visit.data(), 'ok')
  clock.advance(60_000)
  await visit.mail('')
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.equal(await visit.data(), 'ok')
})

test('a sender never seen before waits once', async () => {
  const { come } = guardWorld({ limits: { firstTimeDelayMs: 5_000 } })
  const waits: number[] = []
  for (const remoteAddress of ['192.0.2.7', '192.0.2.8', '198.51.100.1']) {
    const visit = come({ remoteAddress })
    assert.equal(await visit.end(), 'ok')
    waits.push(visit.waitedMs)
  }
  assert.deepEqual(waits, [5_000, 0, 5_000])
})

test('a domain may take less than the server does', async () => {
  const { come } = guardWorld({ config: { sizes: new Map([['hamburger.example', 1_000]]) } })
  const visit = come()
  await visit.mail(alice, 'SIZE=1001')
  assert.match(await visit.rcpt(bob), /^552 5\.3\.4/)
  assert.equal(await visit.rcpt('carol@crepes.example'), 'ok')
  await visit.mail(alice)
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.match(await visit.end({ recipients: [bob], octets: 1_001 }), /^552 5\.3\.4/)
  assert.equal(await visit.end({ recipients: [bob], octets: 1_000 }), 'ok')
})

test('a message that was delivered to its recipient before is a loop', async () => {
  const { come } = guardWorld()
  const visit = come()
  const letter = (to: string, body = ''): string => `Received: x\r\nDELIVERED-TO: <${to}>\r\n\r\n${body}`
  assert.match(await visit.end({ recipients: [bob] }, letter('BOB@hamburger.example')), /^554 5\.4\.6/)
  visit.reset()
  assert.equal(await visit.end({ recipients: [bob] }, letter('carol@hamburger.example')), 'ok')
  visit.reset()
  for (const cut of [1, 5, 20, 1_000]) {
    visit.reset()
    assert.match(await visit.end({ recipients: [bob] }, letter(bob, 'body'), cut), /^554/, `cut ${cut}`)
  }
  visit.reset()
  const inBody = letter('carol@hamburger.example', `Delivered-To: ${bob}\r\n`)
  assert.equal(await visit.end({ recipients: [bob] }, inBody), 'ok')
})

test('what others have been delivered, or only tell of an address, is no loop', async () => {
  const { come } = guardWorld()
  const visit = come()
  const carol = 'carol@hamburger.example'
  const list = 'cooks@lists.example'
  const cases: [recipients: string[], marks: string[], expected: RegExp][] = [
    [[bob], [`mailing list ${list}`, carol, list], /^ok$/],
    [[bob], [`${bob} by way of ${list}`], /^ok$/],
    [[bob], ['bob+cooks@hamburger.example'], /^ok$/],
    // Bob passes on to the list what he was sent; Carol is on it with him.
    [[carol, bob], [bob], /^ok$/],
    [[carol, bob], [bob, carol], /^554 5\.4\.6/],
    [['bob+cooks@hamburger.example'], ['bob+cooks@hamburger.example'], /^554 5\.4\.6/],
  ]
  for (const [recipients, marks, expected] of cases) {
    visit.reset()
    const header = marks.map((mark) => `Delivered-To: ${mark}\r\n`).join('')
    assert.match(await visit.end({ recipients }, `${header}Subject: x\r\n\r\n`), expected, header)
  }
})

test('an account that sends too much is stopped for now, and the operator told once', async () => {
  const limits = {
    submissionMessagesPerHour: 2,
    submissionRecipientsPerDay: 3,
    submissionNewRecipientsPerDay: 2,
  }
  const { come, guards, logged, clock } = guardWorld({ limits })
  const account = { accountId: 7, address: bob }
  const visit = come({ role: 'submission', account })
  assert.equal(await visit.mail(bob), 'ok')
  assert.equal(await visit.rcpt(alice), 'ok')
  assert.equal(await visit.rcpt('carl@crepes.example'), 'ok')
  assert.match(await visit.rcpt('dora@crepes.example'), /^450 4\.7\.1/, 'a third new one')
  assert.equal(await visit.rcpt('nobody@hamburger.example', false), 'ok')
  assert.equal(await visit.rcpt(alice), 'ok', 'an old one')
  assert.match(await visit.rcpt(alice), /^450/, 'the fourth in a day')
  assert.equal(await visit.mail(bob), 'ok')
  assert.match(await visit.mail(bob), /^450 4\.7\.1 .* postmaster/)
  assert.equal(logged.filter((line) => line.includes('account stopped')).length, 1)
  assert.deepEqual(guards.submission.used(7), {
    ...{ messagesPerHour: 2, messagesPerDay: 2, recipientsPerHour: 3, recipientsPerDay: 3 },
    newRecipientsPerDay: 2,
  })
  assert.equal(await come({ role: 'submission', account: { ...account, accountId: 8 } }).mail(bob), 'ok')
  guards.submission.override(7, { messagesPerHour: 3 })
  assert.equal(await visit.mail(bob), 'ok')
  assert.match(await visit.mail(bob), /^450/)
  guards.submission.override(7, { stopped: true })
  clock.advance(86_400_000)
  assert.match(await visit.mail(bob), /^450 4\.7\.1 This account may not send/)
  guards.submission.override(7, null)
  assert.equal(await visit.mail(bob), 'ok')
})

test('many strangers leave bounded traces', async () => {
  const { come, guards, notes } = guardWorld({
    config: { greylist: true },
    limits: { addressesRemembered: 1_000, notesPerKind: 1_000 },
  })
  for (let i = 0; i < 3_000; i++) {
    const remoteAddress = `2001:db8:${i.toString(16)}::1`
    guards.offences.count('login', remoteAddress)
    const visit = come({ remoteAddress })
    await visit.mail(`user${i}@crepes.example`)
    await visit.rcpt(bob)
  }
  assert.ok([...notes.list('greylist')].length <= 1_000)
  assert.deepEqual(guards.bans.list(), [], 'one guess each is nothing')
})

test('networks that are allowed are not held up or banned for where they come from; others are', async () => {
  const config = { allow: ['192.0.2.0/28', '2001:db8::/48'], greylist: true, banned: ['192.0.2.0/24'] }
  const { come, guards } = guardWorld({ config, limits: { messagesPerHour: 1, recipientsPerHour: 1 } })
  for (const remoteAddress of ['192.0.2.7', '2001:db8::5']) {
    const visit = come({ remoteAddress, waitingOctets: 4 })
    assert.equal(await visit.connect(), 'ok')
    for (let i = 0; i < 3; i++) {
      assert.equal(await visit.mail(alice), 'ok')
      assert.equal(await visit.rcpt(bob), 'ok')
      assert.equal(await visit.data(), 'ok')
    }
    assert.equal(guards.isTrusted(remoteAddress), true)
  }
  const other = come({ remoteAddress: '192.0.2.77' })
  assert.equal(await other.mail(alice), 'ok')
  assert.match(await other.rcpt(bob), /^45/)
  assert.equal(guards.isTrusted('192.0.2.77'), false)
})

test('mail of an allowed network may loop or be a report to many as little as any other', async () => {
  const { come } = guardWorld({ config: { allow: ['192.0.2.0/24'] } })
  const visit = come({ remoteAddress: '192.0.2.7' })
  assert.equal(await visit.mail(''), 'ok')
  assert.equal(await visit.rcpt(bob), 'ok')
  assert.match(await visit.rcpt('carol@hamburger.example'), /^452/)
})
