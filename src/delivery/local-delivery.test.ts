import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../base/limits.ts'
import type { AccountStore, AddressMeaning } from '../store/accounts.ts'
import type { HomeLetter } from '../queue/local-delivery.ts'
import { createLocalDelivery } from './local-delivery.ts'
import { noWishes } from '../store/queue.ts'

function account(accountId: number, quotaOctets: number | null): AddressMeaning {
  const address = `user${accountId}@hamburger.edu`
  return {
    kind: 'account',
    account: {
      accountId,
      address,
      passwordHash: null,
      usedOctets: 10,
      usedMessages: 1,
      quotaOctets,
      quotaMessages: null,
    },
  }
}

const meanings: Record<string, AddressMeaning> = {
  'bob@hamburger.edu': account(1, null),
  'dave@hamburger.edu': account(2, 10),
  'team@hamburger.edu': { kind: 'alias', targets: ['bob@hamburger.edu', 'eve@crepes.fr'] },
}

async function resolveAddress(address: string): Promise<AddressMeaning> {
  return meanings[address] ?? { kind: address.endsWith('@hamburger.edu') ? 'unknown' : 'remote' }
}

const home = createLocalDelivery({ resolveAddress } as unknown as AccountStore, defaultLimits)

function letter(...forwardPaths: string[]): HomeLetter {
  return {
    accountId: 7,
    reversePath: 'alice@crepes.fr',
    recipients: forwardPaths.map((forwardPath) => ({ forwardPath, orcpt: null, notify: null })),
    prefix: 'Received: by mail.hamburger.edu; Mon, 1 Jan 2026 00:00:00 +0000\r\n\r\n',
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: noWishes,
    expiresAt: 9000,
    journeyId: null,
  }
}

test('a letter for a domain that is not ours is not filed at home', async () => {
  assert.equal(await home.plan(letter('eve@crepes.fr'), 1000), null)
})

test('a queued letter is filed under its own trace, with Return-Path above it', async () => {
  const plan = await home.plan(letter('bob@hamburger.edu'), 1000)
  assert.equal(
    plan!.filings[0]!.prefix,
    'Return-Path: <alice@crepes.fr>\r\nReceived: by mail.hamburger.edu; Mon, 1 Jan 2026 00:00:00 +0000\r\n\r\n',
  )
  const { kind, success } = plan!.outcomes.get('bob@hamburger.edu')!
  assert.deepEqual([kind, success], ['delivered', 'delivered'])
})

test('a trace field beyond ASCII is filed octet for octet', async () => {
  const prefix = Buffer.from('Received: for <björn@hamburger.edu>; now\r\n').toString('latin1')
  const plan = await home.plan({ ...letter('bob@hamburger.edu'), prefix }, 1000)
  assert.ok(plan!.filings[0]!.prefix.endsWith(prefix))
})

test('each recipient hears for itself: full for now, unknown for good', async () => {
  const plan = await home.plan(letter('bob@hamburger.edu', 'dave@hamburger.edu', 'gone@hamburger.edu'), 1000)
  assert.deepEqual(
    [...plan!.outcomes].map(([path, outcome]) => `${path} ${outcome.kind} ${outcome.status}`),
    [
      'bob@hamburger.edu delivered 2.0.0',
      'dave@hamburger.edu temporary 4.2.2',
      'gone@hamburger.edu permanent 5.1.1',
    ],
  )
  assert.equal(plan!.filings.length, 1)
})

test('an alias made meanwhile sends the letter on, within the life it has left', async () => {
  const plan = await home.plan(letter('team@hamburger.edu'), 1000)
  assert.equal(plan!.filings.length, 1)
  assert.equal(
    plan!.outcomes.get('team@hamburger.edu')!.success,
    'expanded',
    'as RFC 3461 §5.2.7.3 (c) calls it',
  )
  assert.deepEqual(
    plan!.queue.map((row) => [row.domain, row.accountId, row.nextAttemptAt, row.expiresAt]),
    [['crepes.fr', 7, 1000, 9000]],
  )
})
