/**
 * Where one forward-path leads: aliases followed to accounts here and addresses elsewhere.
 *
 * What holds afterwards: each account and each address stands in the decision once, and no question to the store was
 * asked twice. A member of an alias that cannot take mail right now is passed on to the queue instead of being dropped;
 * one that does not exist is passed over when another member takes the message (docs/decisions/060).
 */
import { andThen } from '../base/at-once.ts'
import type { Limits } from '../base/limits.ts'
import { type Account, type AccountStore, isFull } from '../store/accounts.ts'
import { bouncedTo, type Forwarding } from './forwarding.ts'
import type { RecipientDecision } from './plan.ts'
import { normaliseAddress } from '../store/address.ts'

type Refused = Extract<RecipientDecision, { kind: 'refused' }>

const elsewhere: RecipientDecision = { kind: 'elsewhere' }
const unknownUser: Refused = { kind: 'refused', code: 550, status: '5.1.1', text: 'No such user here' }
const badAddress: Refused = { kind: 'refused', code: 553, status: '5.1.3', text: 'Not a mail address' }
const mailboxFull: Refused = { kind: 'refused', code: 452, status: '4.2.2', text: 'Mailbox is full' }
const localError: Refused = {
  kind: 'refused',
  code: 451,
  status: '4.3.0',
  text: 'Local error in processing',
}
// Temporary although it repeats: the person who made the alias can mend it, and the sender's queue waits for that.
const badAlias: Refused = {
  kind: 'refused',
  code: 451,
  status: '4.3.5',
  text: 'Address leads in circles or too far',
}

type WalkLimits = Pick<Limits, 'aliasDepth' | 'recipients'>

/** What has been found while aliases are followed. */
interface Walk {
  readonly store: AccountStore
  readonly accounts: Map<number, Account>
  /** Addresses elsewhere as they are to be written, by the form in which they are compared. */
  readonly forwards: Map<string, string>
  readonly seen: Set<string>
  /** An address was reached twice. */
  circular: boolean
}

/**
 * Decides about one RCPT, RFC 5321 §3.9.1. Never rejects: a store that cannot be asked is a temporary refusal.
 *
 * @param address `local-part@domain`, domain in A-labels.
 * @param bounces For the null reverse-path only: a rewritten address leads back to whom it was made of.
 */
export function resolveRecipient(
  store: AccountStore,
  address: string,
  limits: WalkLimits,
  bounces: Forwarding | null = null,
): RecipientDecision | Promise<RecipientDecision> {
  try {
    const start = normaliseAddress(address)
    if (start === null) return badAddress
    const decision = andThen(store.resolveAddress(start), (meaning) => {
      switch (meaning.kind) {
        case 'remote':
          return elsewhere
        case 'unknown':
          return bounced(bounces, address)
        case 'account':
          return accountDecision(meaning.account)
        case 'alias':
          return throughAlias(store, start, meaning.targets, limits)
      }
    })
    return decision instanceof Promise ? decision.catch(() => localError) : decision
  } catch {
    return localError
  }
}

function accountDecision(account: Account): RecipientDecision {
  // The message that crosses the bound is still taken: its size is not known at RCPT.
  if (isFull(account)) return mailboxFull
  return { kind: 'home', accountIds: [account.accountId], forwards: [] }
}

async function bounced(bounces: Forwarding | null, address: string): Promise<RecipientDecision> {
  const sender = await bouncedTo(bounces, address)
  return sender === null ? unknownUser : { kind: 'home', accountIds: [], forwards: [sender] }
}

async function throughAlias(
  store: AccountStore,
  start: string,
  targets: readonly string[],
  limits: WalkLimits,
): Promise<RecipientDecision> {
  const walk: Walk = {
    store,
    accounts: new Map(),
    forwards: new Map(),
    seen: new Set([start]),
    circular: false,
  }
  const bounded = await follow(walk, targets, limits)
  return bounded ? conclude(walk) : badAlias
}

/** Level by level, so that the depth is the number of rounds. @returns False when a bound was reached. */
async function follow(walk: Walk, targets: readonly string[], limits: WalkLimits): Promise<boolean> {
  let level = targets
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limits.aliasDepth) return false
    const next: string[] = []
    for (const target of level) {
      const address = normaliseAddress(target)
      if (address === null) continue
      if (walk.seen.has(address)) {
        walk.circular = true
        continue
      }
      walk.seen.add(address)
      if (walk.seen.size > limits.recipients) return false
      await step(walk, address, target, next)
    }
    level = next
  }
  return true
}

async function step(walk: Walk, address: string, target: string, next: string[]): Promise<void> {
  const meaning = await walk.store.resolveAddress(address)
  if (meaning.kind === 'account') walk.accounts.set(meaning.account.accountId, meaning.account)
  else if (meaning.kind === 'alias') next.push(...meaning.targets)
  // As it was written: only the host that delivers knows whether case matters, RFC 5321 §2.4.
  else if (meaning.kind === 'remote') walk.forwards.set(address, target)
}

function conclude(walk: Walk): RecipientDecision {
  const accounts = [...walk.accounts.values()]
  const open = accounts.filter((account) => !isFull(account))
  const full = accounts.filter(isFull)
  if (open.length === 0 && walk.forwards.size === 0) {
    if (full.length > 0) return mailboxFull
    return walk.circular ? badAlias : unknownUser
  }
  // The queue tries a full mailbox again and tells the sender if it stays full: neither lost nor a block to the others.
  return {
    kind: 'home',
    accountIds: open.map((account) => account.accountId),
    forwards: [...walk.forwards.values(), ...full.map((account) => account.address)],
  }
}
