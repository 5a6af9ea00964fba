/**
 * Slows those who guess passwords without giving them a way to lock anybody out.
 *
 * The bound that refuses counts by address *and* account: a stranger fills only buckets of his own address, and bob at
 * home logs in as ever. One address that fails on many accounts is bounded as well. What an account suffers from all
 * addresses together only makes strangers wait. The same wrong password said again is no guess and counts once: a
 * telephone with last week's password does not shut out the computer beside it.
 */
import type { Clock } from '../base/clock.ts'
import { BucketMap } from '../base/bucket-map.ts'
import { hostOf } from '../base/network.ts'

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
    const host = hostOf(remoteAddress)
    const pair = pairOf(host, account)
    if (this.#pairs.isFull(pair)) return { kind: 'wait' }
    if (this.#friends.has(pair)) return { kind: 'go' }
    if (this.#addresses.isFull(host)) return { kind: 'wait' }
    return this.#accounts.isFull(account) ? { kind: 'slow', delayMs: slowedMs } : { kind: 'go' }
  }

  isKnownWrong(remoteAddress: string, account: string, proof: string): boolean {
    return this.#wrong.has(wrongKey(hostOf(remoteAddress), account, proof))
  }

  /** Counts a guess before it waits or is compared, so that many at once are counted as well. */
  begin(remoteAddress: string, account: string): void {
    const host = hostOf(remoteAddress)
    this.#pairs.add(pairOf(host, account))
    this.#addresses.add(host)
    this.#accounts.add(account)
  }

  /** The guess was never compared. */
  abandoned(remoteAddress: string, account: string): void {
    const host = hostOf(remoteAddress)
    this.#pairs.refund(pairOf(host, account))
    this.#addresses.refund(host)
    this.#accounts.refund(account)
  }

  /** A guess that `begin` counted was wrong. */
  failed(remoteAddress: string, account: string, proof: string): void {
    remember(this.#wrong, wrongKey(hostOf(remoteAddress), account, proof))
  }

  /** @param counted Whether `begin` had counted it. */
  succeeded(remoteAddress: string, account: string, counted: boolean): void {
    const host = hostOf(remoteAddress)
    const pair = pairOf(host, account)
    if (counted) this.abandoned(remoteAddress, account)
    this.#pairs.clear(pair)
    remember(this.#friends, pair)
  }
}

function pairOf(host: string, account: string): string {
  return `${host} ${account}`
}

function wrongKey(host: string, account: string, proof: string): string {
  return `${pairOf(host, account)} ${proof}`
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
