import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlannedRecipient, PlanRequest } from './plan.ts'
import { noWishes } from '../store/queue.ts'
import { planDelivery, planNow, recipientsPerEntry } from './make-plan.ts'

function home(
  forwardPath: string,
  accountIds: readonly number[],
  forwards: readonly string[] = [],
): PlannedRecipient {
  return { forwardPath, decision: { kind: 'home', accountIds, forwards }, orcpt: null, notify: null }
}

function elsewhere(forwardPath: string, notify: string | null = null): PlannedRecipient {
  return { forwardPath, decision: { kind: 'elsewhere' }, orcpt: null, notify }
}

function plan(recipients: readonly PlannedRecipient[], changes: Partial<PlanRequest> = {}) {
  return planDelivery(request(recipients, changes))
}

function request(recipients: readonly PlannedRecipient[], changes: Partial<PlanRequest> = {}): PlanRequest {
  return {
    reversePath: 'alice@crepes.fr',
    senderAccountId: 7,
    recipients,
    received: (path) =>
      `Received: from crepes.fr${path === null ? '' : ` for <${path}>`}; Mon, 1 Jan 2026\r\n`,
    fields: ['Message-ID: <1@crepes.fr>\r\n'],
    hasHeader: true,
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: noWishes,
    junk: false,
    now: 1000,
    queueLifeMs: 500,
    journeyId: 'j1',
    ...changes,
  }
}

test('a recipient at home is filed into INBOX with Return-Path above the trace', () => {
  const { filings, queue } = plan([home('bob@hamburger.edu', [1])])
  assert.deepEqual(queue, [])
  assert.deepEqual(filings, [
    {
      accountId: 1,
      mailboxId: null,
      prefix:
        'Return-Path: <alice@crepes.fr>\r\n' +
        'Received: from crepes.fr for <bob@hamburger.edu>; Mon, 1 Jan 2026\r\n' +
        'Message-ID: <1@crepes.fr>\r\n',
      flags: 0,
      keywords: [],
      internalDate: 1000,
      journeyId: 'j1',
    },
  ])
})

test('the null reverse-path is filed as <>', () => {
  const { filings } = plan([home('bob@hamburger.edu', [1])], { reversePath: '' })
  assert.ok(filings[0]!.prefix.startsWith('Return-Path: <>\r\n'))
})

test('with several recipients no FOR clause names any, RFC 5321 §7.2', () => {
  const { filings, queue } = plan([home('bob@hamburger.edu', [1]), elsewhere('hidden@crepes.fr')])
  assert.ok(!filings[0]!.prefix.includes(' for '))
  assert.ok(!queue[0]!.prefix.includes(' for '))
})

test('an account reached by several recipients gets one copy', () => {
  const { filings } = plan([home('bob@hamburger.edu', [1]), home('team@hamburger.edu', [2, 1])])
  assert.deepEqual(
    filings.map((filing) => filing.accountId),
    [1, 2],
  )
})

test('recipients elsewhere are queued by domain, without Return-Path, each address once', () => {
  const { queue } = plan([
    elsewhere('ada@crepes.fr', 'NEVER'),
    elsewhere('bob@b.example'),
    elsewhere('cy@CREPES.fr'),
    home('team@hamburger.edu', [], ['ada@crepes.fr', 'eve@bücher.example']),
  ])
  assert.deepEqual(
    queue.map((entry) => [entry.domain, entry.recipients.map((recipient) => recipient.forwardPath)]),
    [
      ['crepes.fr', ['ada@crepes.fr', 'cy@crepes.fr']],
      ['b.example', ['bob@b.example']],
      ['xn--bcher-kva.example', ['eve@xn--bcher-kva.example']],
    ],
  )
  assert.equal(queue[0]!.recipients[0]!.notify, 'NEVER')
  assert.ok(queue[0]!.prefix.startsWith('Received:'))
  assert.equal(queue[0]!.accountId, 7)
  assert.equal(queue[0]!.nextAttemptAt, 1000)
  assert.equal(queue[0]!.expiresAt, 1500)
})

test('more recipients of one domain than a transaction takes become several rows', () => {
  const many = Array.from({ length: 250 }, (_, n) => elsewhere(`user${n}@crepes.fr`))
  const { queue } = plan(many)
  assert.deepEqual(
    queue.map((entry) => entry.recipients.length),
    [recipientsPerEntry, recipientsPerEntry, 50],
  )
})

test('a letter without a header gets an empty line after the trace', () => {
  const { filings } = plan([home('bob@hamburger.edu', [1])], { hasHeader: false })
  assert.ok(filings[0]!.prefix.endsWith('\r\n\r\n'))
})

test('fields that do not fit above a body are left out, the longest first', () => {
  const huge = `Authentication-Results: ${'x'.repeat(17_000)}\r\n`
  const { filings } = plan([home('bob@hamburger.edu', [1])], {
    fields: [huge, 'Message-ID: <1@crepes.fr>\r\n'],
  })
  assert.ok(filings[0]!.prefix.length < 16_384)
  assert.ok(filings[0]!.prefix.endsWith('Message-ID: <1@crepes.fr>\r\n'))
})

test('who is at home goes through the queue when success is to be reported, or when it is held back', () => {
  const bob = { ...home('bob@hamburger.edu', [1]), notify: 'SUCCESS' }
  const carol = home('carol@hamburger.edu', [2])
  const asked = plan([bob, carol])
  assert.deepEqual(
    asked.filings.map(({ accountId }) => accountId),
    [2],
  )
  assert.deepEqual(
    asked.queue.map(({ domain, recipients }) => [domain, ...recipients]),
    [['hamburger.edu', { forwardPath: 'bob@hamburger.edu', orcpt: null, notify: 'SUCCESS' }]],
  )
  assert.equal(plan([bob], { reversePath: '' }).queue.length, 0, 'nobody is told of a report')
  const held = plan([carol], { wishes: { ...noWishes, holdUntil: 5_000 } })
  assert.equal(held.filings.length, 0)
  assert.deepEqual([held.queue[0]!.nextAttemptAt, held.queue[0]!.expiresAt], [5_000, 5_500])
  assert.equal(plan([carol], { wishes: { ...noWishes, holdUntil: 1_000 } }).filings.length, 1)
})

test('junk is filed as such, and confirms nothing', () => {
  const { filings, queue } = plan([{ ...home('bob@hamburger.edu', [1]), notify: 'SUCCESS' }], { junk: true })
  assert.deepEqual([filings[0]!.specialUse, queue.length], ['\\Junk', 0])
})

test('an alias with one address passes NOTIFY on, one with several asks for all but success', () => {
  const alias = (notify: string | null, forwards: readonly string[]) => {
    const all = { ...home('all@hamburger.edu', [], forwards), notify }
    return planNow(request([all])).queue.flatMap(({ recipients }) => recipients.map((each) => each.notify))
  }
  assert.deepEqual(alias('SUCCESS,DELAY', ['a@x.example']), ['SUCCESS,DELAY'])
  assert.deepEqual(alias('SUCCESS,DELAY', ['a@x.example', 'b@x.example']), ['DELAY', 'DELAY'])
  assert.deepEqual(alias('SUCCESS', ['a@x.example', 'b@y.example']), ['NEVER', 'NEVER'])
  assert.deepEqual(alias(null, ['a@x.example', 'b@y.example']), [null, null])
})
