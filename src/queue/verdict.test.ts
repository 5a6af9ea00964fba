import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Random } from '../base/random.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'
import type { RecipientOutcome } from './outcome.ts'
import { judge, settlementOf } from './verdict.ts'
import { noWishes } from '../store/queue.ts'

const still: Random = { bytes: (length) => new Uint8Array(length) }

function recipient(forwardPath: string, changes: Partial<QueueRecipient> = {}): QueueRecipient {
  return {
    forwardPath,
    state: 'waiting',
    attempts: 0,
    lastReply: null,
    orcpt: null,
    notify: null,
    ...changes,
  }
}

function entry(recipients: readonly QueueRecipient[], changes: Partial<QueueEntry> = {}): QueueEntry {
  return {
    accountId: 3,
    queueId: 9,
    reversePath: 'alice@crepes.fr',
    domain: 'hamburger.edu',
    recipients,
    prefix: '',
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: noWishes,
    nextAttemptAt: 0,
    expiresAt: 10_000_000,
    journeyId: null,
    createdAt: 0,
    body: { accountId: 3, blobId: 1, octets: 10 },
    attempts: 0,
    delayWarned: false,
    leasedUntil: null,
    ...changes,
  }
}

function outcome(kind: RecipientOutcome['kind'], host: string | null = 'mx.example'): RecipientOutcome {
  return { kind, status: kind === 'permanent' ? '5.1.1' : '4.2.1', text: 'said so', host, stage: 'rcpt' }
}

const never = Number.MAX_SAFE_INTEGER

test('each recipient is judged for itself, and one that nothing is known of waits', () => {
  const row = entry([
    recipient('a@x'),
    recipient('b@x'),
    recipient('c@x'),
    recipient('d@x'),
    recipient('e@x', { state: 'delivered' }),
  ])
  const outcomes = new Map([
    ['a@x', outcome('delivered')],
    ['b@x', outcome('permanent')],
    ['c@x', outcome('temporary')],
  ])
  assert.deepEqual(
    judge(row, outcomes, 1000, never).map((each) => `${each.recipient.forwardPath} ${each.state}`),
    ['a@x delivered', 'b@x failed', 'c@x waiting', 'd@x waiting'],
  )
})

test('a temporary failure is final once the life of the letter is over, and not before', () => {
  const row = entry([recipient('a@x')])
  const outcomes = new Map([['a@x', outcome('temporary')]])
  assert.equal(judge(row, outcomes, 9_999_999, never)[0]!.state, 'waiting')
  assert.equal(judge(row, outcomes, 10_000_000, never)[0]!.state, 'failed')
  assert.equal(judge(row, new Map([['a@x', outcome('delivered')]]), 10_000_001, never)[0]!.state, 'delivered')
})

test('the next attempt follows the schedule, not within an outage and not beyond the life', () => {
  const row = entry([recipient('a@x')])
  const verdicts = judge(row, new Map([['a@x', outcome('temporary')]]), 1000, never)
  assert.equal(settlementOf(row, verdicts, 1000, 0, still).nextAttemptAt, 61_000)
  assert.equal(settlementOf(row, verdicts, 1000, 500_000, still).nextAttemptAt, 500_000)
  assert.equal(settlementOf(row, verdicts, 1000, 20_000_000, still).nextAttemptAt, 10_000_000)
  assert.equal(settlementOf(row, verdicts, 1000, 0, still).recipients[0]!.reply, 'mx.example: said so')
})

test('NOTIFY decides who is told of a failure, the null reverse-path never is', () => {
  const recipients = [
    recipient('plain@x'),
    recipient('never@x', { notify: 'NEVER' }),
    recipient('success@x', { notify: 'SUCCESS' }),
    recipient('both@x', { notify: 'success,failure' }),
  ]
  const outcomes = new Map(recipients.map((each) => [each.forwardPath, outcome('permanent')]))
  const told = (row: QueueEntry) =>
    judge(row, outcomes, 0, never).flatMap((each) =>
      each.action === 'failed' ? each.recipient.forwardPath : [],
    )
  assert.deepEqual(told(entry(recipients)), ['plain@x', 'both@x'])
  assert.deepEqual(told(entry(recipients, { reversePath: '' })), [])
})

test('a delay is told once, after its time, to our own people', () => {
  const recipients = [recipient('plain@x'), recipient('failure@x', { notify: 'FAILURE' })]
  const outcomes = new Map(recipients.map((each) => [each.forwardPath, outcome('temporary')]))
  const told = (now: number, changes: Partial<QueueEntry> = {}) => {
    const row = entry(recipients, changes)
    return judge(row, outcomes, now, 5000).flatMap(({ action, recipient }) =>
      action === 'delayed' ? recipient.forwardPath : [],
    )
  }
  assert.deepEqual(told(4999), [])
  assert.deepEqual(told(5000), ['plain@x'])
  assert.deepEqual(told(5000, { delayWarned: true }), [])
  assert.deepEqual(told(5000, { accountId: 0 }), [])
  assert.deepEqual(told(5000, { reversePath: '' }), [])
})

test('who asked for it is told of success, once, as it was', () => {
  const recipients = ['SUCCESS', 'success,failure', 'FAILURE', 'NEVER', null].map((notify, n) =>
    recipient(`${n}@x`, { notify }),
  )
  const told = (more: Partial<RecipientOutcome>, changes: Partial<QueueEntry> = {}) => {
    const outcomes = new Map(
      recipients.map((each) => [each.forwardPath, { ...outcome('delivered'), ...more }]),
    )
    return judge(entry(recipients, changes), outcomes, 0, never).map((each) => each.action)
  }
  assert.deepEqual(told({ success: 'relayed' }), ['relayed', 'relayed', null, null, null])
  assert.deepEqual(told({}), [null, null, null, null, null], 'the next server reports')
  assert.deepEqual(told({ success: 'relayed', always: true }), [
    ...['relayed', 'relayed', 'relayed'],
    ...[null, 'relayed'],
  ])
  assert.deepEqual(told({ success: 'delivered', always: true }, { reversePath: '' }).filter(Boolean), [])
})

test('past the time its sender gave, a letter is returned, or its sender is told once', () => {
  const row = (mode: 'return' | 'notify', more: Partial<QueueEntry> = {}) =>
    entry([recipient('a@x')], {
      accountId: 0,
      wishes: { ...noWishes, deliverBy: { at: 5000, mode, trace: false } },
      ...more,
    })
  const outcomes = new Map([['a@x', outcome('temporary')]])
  const judged = (which: QueueEntry, now: number) => {
    const [{ state, action, outcome: told }] = judge(which, outcomes, now, 10) as [
      ReturnType<typeof judge>[0],
    ]
    return [state, action, told.status]
  }
  assert.deepEqual(judged(row('return'), 4999), ['waiting', null, '4.2.1'])
  assert.deepEqual(judged(row('return'), 5000), ['failed', 'failed', '5.4.7'])
  assert.deepEqual(judged(row('notify', { accountId: 3 }), 4999), ['waiting', null, '4.2.1'])
  assert.deepEqual(judged(row('notify'), 5000), ['waiting', 'delayed', '4.4.7'])
  assert.deepEqual(judged(row('notify', { delayWarned: true }), 5000), ['waiting', null, '4.2.1'])
  const settlement = settlementOf(row('return'), judge(row('return'), outcomes, 1000, never), 1000, 0, still)
  assert.equal(settlement.nextAttemptAt, 5000, 'it is looked at when the time has come')
})

test('a delay counts from the end of the hold, and the times between attempts may be given', () => {
  const row = entry([recipient('a@x')], { wishes: { ...noWishes, holdUntil: 8000 } })
  const outcomes = new Map([['a@x', outcome('temporary')]])
  assert.equal(judge(row, outcomes, 12_999, 5000)[0]!.action, null)
  assert.equal(judge(row, outcomes, 13_000, 5000)[0]!.action, 'delayed')
  const verdicts = judge(row, outcomes, 1000, never)
  assert.equal(settlementOf(row, verdicts, 1000, 0, still, [7000]).nextAttemptAt, 8000)
  assert.equal(settlementOf({ ...row, attempts: 9 }, verdicts, 1000, 0, still, [1, 50]).nextAttemptAt, 1050)
})
