import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Random } from '../base/random.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'
import type { RecipientOutcome } from './outcome.ts'
import { delaysToReport, failuresToReport, judge, settlementOf } from './verdict.ts'
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
    judge(row, outcomes, 1000).map((each) => `${each.recipient.forwardPath} ${each.state}`),
    ['a@x delivered', 'b@x failed', 'c@x waiting', 'd@x waiting'],
  )
})

test('a temporary failure is final once the life of the letter is over, and not before', () => {
  const row = entry([recipient('a@x')])
  const outcomes = new Map([['a@x', outcome('temporary')]])
  assert.equal(judge(row, outcomes, 9_999_999)[0]!.state, 'waiting')
  assert.equal(judge(row, outcomes, 10_000_000)[0]!.state, 'failed')
  assert.equal(judge(row, new Map([['a@x', outcome('delivered')]]), 10_000_001)[0]!.state, 'delivered')
})

test('the next attempt follows the schedule, not within an outage and not beyond the life', () => {
  const row = entry([recipient('a@x')])
  const verdicts = judge(row, new Map([['a@x', outcome('temporary')]]), 1000)
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
    failuresToReport(row, judge(row, outcomes, 0)).map((each) => each.recipient.forwardPath)
  assert.deepEqual(told(entry(recipients)), ['plain@x', 'both@x'])
  assert.deepEqual(told(entry(recipients, { reversePath: '' })), [])
})

test('a delay is told once, after its time, to our own people', () => {
  const recipients = [recipient('plain@x'), recipient('failure@x', { notify: 'FAILURE' })]
  const outcomes = new Map(recipients.map((each) => [each.forwardPath, outcome('temporary')]))
  const told = (now: number, changes: Partial<QueueEntry> = {}) => {
    const row = entry(recipients, changes)
    return delaysToReport(row, judge(row, outcomes, now), now, 5000).map((each) => each.recipient.forwardPath)
  }
  assert.deepEqual(told(4999), [])
  assert.deepEqual(told(5000), ['plain@x'])
  assert.deepEqual(told(5000, { delayWarned: true }), [])
  assert.deepEqual(told(5000, { accountId: 0 }), [])
  assert.deepEqual(told(5000, { reversePath: '' }), [])
})
