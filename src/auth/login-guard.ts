/**
 * Slows those who guess passwords without giving them a way to lock anybody out.
 *
 * The bound that refuses counts by address *and* account: a stranger fills only buckets of his own address, and bob at
 * home logs in as ever. One address that fails on many accounts is bounded as well. What an account suffers from all
 * addresses together only makes strangers wait. The same wrong password said again is no guess and counts once: a
 * telephone with last week's password does not shut out the computer beside it.
 */
import type { Clock } from '../base/clock.ts'
import { BucketMap } from './bucket-map.ts'

/** Wrong passwords from one address for one account before it must wait, and the time in which one is forgiven. */
const guessesPerPair = 10
const pairLeakMs = 60_000
/** Wrong passwords from one address, whatever the account. */
const guessesPerAddress = 100
const addressLeakMs = 6_000
/** Wrong passwords for one account from everywhere before further ones from strangers are slowed. */
const guessesPerAccount = 100
const accountLeakMs = 6_000
const slowedMs = 3_000
/** Wrong passwords, and pairs of address and account that have logged in, remembered at once. */
const rememberedMax = 50_000

export type Admission =
  | { readonly kind: 'go' }
  /** Compare only after this time. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'wait' }

export class LoginGuard {
  readonly #pairs: BucketMap
  readonly #addresses: BucketMap
  readonly #accounts: BucketMap
  /** Proofs of passwords known to be wrong, by pair. */
  readonly #wrong = new Set<string>()
  readonly #friends = new Set<string>()

  constructor(clock: Clock) {
    this.#pairs = new BucketMap(clock, guessesPerPair, pairLeakMs)
    this.#addresses = new BucketMap(clock, guessesPerAddress, addressLeakMs)
    this.#accounts = new BucketMap(clock, guessesPerAccount, accountLeakMs)
  }

  /** May this address try a password for this account now? */
  admit(remoteAddress: string, account: string): Admission {
    const network = networkOf(remoteAddress)
    const pair = pairOf(network, account)
    if (this.#pairs.isFull(pair)) return { kind: 'wait' }
    if (this.#friends.has(pair)) return { kind: 'go' }
    if (this.#addresses.isFull(network)) return { kind: 'wait' }
    return this.#accounts.isFull(account) ? { kind: 'slow', delayMs: slowedMs } : { kind: 'go' }
  }

  isKnownWrong(remoteAddress: string, account: string, proof: string): boolean {
    return this.#wrong.has(wrongKey(networkOf(remoteAddress), account, proof))
  }

  /** Counts a guess before it is compared, so that many at once are counted as well. */
  begin(remoteAddress: string, account: string): void {
    this.#pairs.add(pairOf(networkOf(remoteAddress), account))
  }

  /** The guess was never compared. */
  abandoned(remoteAddress: string, account: string): void {
    this.#pairs.refund(pairOf(networkOf(remoteAddress), account))
  }

  failed(remoteAddress: string, account: string, proof: string): void {
    const network = networkOf(remoteAddress)
    this.#addresses.add(network)
    this.#accounts.add(account)
    remember(this.#wrong, wrongKey(network, account, proof))
  }

  succeeded(remoteAddress: string, account: string): void {
    const pair = pairOf(networkOf(remoteAddress), account)
    this.#pairs.clear(pair)
    remember(this.#friends, pair)
  }
}

/** One customer commonly holds a whole /64, so IPv6 addresses count by it. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - before.length - (tail === '' ? 0 : tail.split(':').length)
  const groups = [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')]
  return (
    groups
      .slice(0, 4)
      .map((group) => group.replace(/^0+(?=.)/, ''))
      .join(':') + '::/64'
  )
}

function pairOf(network: string, account: string): string {
  return `${network} ${account}`
}

function wrongKey(network: string, account: string, proof: string): string {
  return `${pairOf(network, account)} ${proof}`
}

function remember(set: Set<string>, key: string): void {
  set.delete(key)
  set.add(key)
  if (set.size <= rememberedMax) return
  for (const oldest of set) {
    set.delete(oldest)
    break
  }
}
