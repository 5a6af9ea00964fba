import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../base/limits.ts'
import type { Account, AccountStore, AddressMeaning } from '../store/accounts.ts'
import { resolveRecipient } from './resolve-recipient.ts'

function account(accountId: number, address: string, used = 0, quotaOctets: number | null = null): Account {
  return {
    accountId,
    address,
    passwordHash: null,
    usedOctets: used,
    usedMessages: 0,
    quotaOctets,
    quotaMessages: null,
  }
}

/** A store that knows hamburger.edu and counts what it is asked. */
function hamburger(
  accounts: readonly Account[],
  aliases: Readonly<Record<string, readonly string[]>> = {},
): { store: AccountStore; asked: string[] } {
  const asked: string[] = []
  async function resolveAddress(address: string): Promise<AddressMeaning> {
    asked.push(address)
    const found = accounts.find((one) => one.address === address)
    if (found !== undefined) return { kind: 'account', account: found }
    const targets = aliases[address]
    if (targets !== undefined) return { kind: 'alias', targets }
    return { kind: address.endsWith('@hamburger.edu') ? 'unknown' : 'remote' }
  }
  return { store: { resolveAddress } as unknown as AccountStore, asked }
}

const bob = account(1, 'bob@hamburger.edu')
const carol = account(2, 'carol@hamburger.edu')

function decide(world: { store: AccountStore }, address: string, limits = defaultLimits) {
  return resolveRecipient(world.store, address, limits)
}

test('an address of ours leads to its account, whatever its case', async () => {
  const decision = await decide(hamburger([bob]), 'Bob@Hamburger.EDU')
  assert.deepEqual(decision, { kind: 'home', accountIds: [1], forwards: [] })
})

test('a domain that is not ours is elsewhere', async () => {
  assert.deepEqual(await decide(hamburger([bob]), 'alice@crepes.fr'), { kind: 'elsewhere' })
})

test('an unknown user is refused for good', async () => {
  const decision = await decide(hamburger([bob]), 'nobody@hamburger.edu')
  assert.equal(decision.kind === 'refused' && `${decision.code} ${decision.status}`, '550 5.1.1')
})

test('what is no address is refused for good', async () => {
  const decision = await decide(hamburger([bob]), 'bob')
  assert.equal(decision.kind === 'refused' && `${decision.code} ${decision.status}`, '553 5.1.3')
})

test('a store that cannot be asked is a temporary refusal that tells nothing of it', async () => {
  const store = { resolveAddress: () => Promise.reject(new Error('disk I/O error at /data')) }
  const decision = await resolveRecipient(
    store as unknown as AccountStore,
    'bob@hamburger.edu',
    defaultLimits,
  )
  assert.deepEqual(decision, {
    kind: 'refused',
    code: 451,
    status: '4.3.0',
    text: 'Local error in processing',
  })
})

test('a full mailbox is refused for now, and one octet below it is not', async () => {
  const full = hamburger([account(1, 'bob@hamburger.edu', 1000, 1000)])
  const refused = await decide(full, 'bob@hamburger.edu')
  assert.equal(refused.kind === 'refused' && `${refused.code} ${refused.status}`, '452 4.2.2')
  const nearly = hamburger([account(1, 'bob@hamburger.edu', 999, 1000)])
  assert.equal((await decide(nearly, 'bob@hamburger.edu')).kind, 'home')
})

test('an alias is followed through aliases, and each account stands once', async () => {
  const world = hamburger([bob, carol], {
    'all@hamburger.edu': ['team@hamburger.edu', 'bob@hamburger.edu', 'Alice@Crepes.fr'],
    'team@hamburger.edu': ['bob@hamburger.edu', 'carol@hamburger.edu', 'alice@crepes.fr'],
  })
  const decision = await decide(world, 'all@hamburger.edu')
  assert.deepEqual(decision, { kind: 'home', accountIds: [1, 2], forwards: ['Alice@Crepes.fr'] })
  assert.equal(new Set(world.asked).size, world.asked.length)
})

test('aliases that lead in a circle end, and refuse for now when nobody is found', async () => {
  const circle = { 'a@hamburger.edu': ['b@hamburger.edu'], 'b@hamburger.edu': ['a@hamburger.edu'] }
  const refused = await decide(hamburger([], circle), 'a@hamburger.edu')
  assert.equal(refused.kind === 'refused' && `${refused.code} ${refused.status}`, '451 4.3.5')
  const withBob = { ...circle, 'b@hamburger.edu': ['a@hamburger.edu', 'bob@hamburger.edu'] }
  assert.deepEqual(await decide(hamburger([bob], withBob), 'a@hamburger.edu'), {
    kind: 'home',
    accountIds: [1],
    forwards: [],
  })
})

test('a chain of aliases is followed to the bound and no further', async () => {
  const chain: Record<string, readonly string[]> = {}
  for (let n = 0; n < 11; n++) chain[`a${n}@hamburger.edu`] = [`a${n + 1}@hamburger.edu`]
  const world = hamburger([account(1, 'a11@hamburger.edu')], chain)
  const tooFar = await decide(world, 'a0@hamburger.edu')
  assert.equal(tooFar.kind === 'refused' && tooFar.status, '4.3.5')
  assert.equal((await decide(world, 'a1@hamburger.edu')).kind, 'home')
})

test('an alias of more addresses than a message may have is refused, not walked', async () => {
  const many = Array.from({ length: 50 }, (_, n) => `user${n}@hamburger.edu`)
  const world = hamburger([bob], { 'all@hamburger.edu': many })
  const decision = await decide(world, 'all@hamburger.edu', { ...defaultLimits, recipients: 10 })
  assert.equal(decision.kind === 'refused' && decision.status, '4.3.5')
  assert.ok(world.asked.length <= 11)
})

test('a full member of an alias waits in the queue while the others get their copy', async () => {
  const full = account(3, 'dave@hamburger.edu', 5, 5)
  const world = hamburger([bob, full], { 'team@hamburger.edu': ['bob@hamburger.edu', 'dave@hamburger.edu'] })
  assert.deepEqual(await decide(world, 'team@hamburger.edu'), {
    kind: 'home',
    accountIds: [1],
    forwards: ['dave@hamburger.edu'],
  })
})

test('an alias of nobody who exists is an unknown user, one of only full mailboxes is full', async () => {
  const gone = hamburger([bob], { 'team@hamburger.edu': ['gone@hamburger.edu'] })
  const refused = await decide(gone, 'team@hamburger.edu')
  assert.equal(refused.kind === 'refused' && refused.code, 550)
  const full = hamburger([account(3, 'dave@hamburger.edu', 5, 5)], {
    'team@hamburger.edu': ['dave@hamburger.edu'],
  })
  const later = await decide(full, 'team@hamburger.edu')
  assert.equal(later.kind === 'refused' && later.code, 452)
})
