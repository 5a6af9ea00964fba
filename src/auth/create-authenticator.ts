/**
 * May this person log in? One answer for every door.
 *
 * An unknown user and a wrong password get the same answer after the same work. A guess is counted before its hash is
 * computed; the same password tried several times at once is hashed once. Recent successes, and passwords known to be
 * wrong, cost microseconds; both are forgotten at once when the account's hash row changes.
 */
import { createHmac } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Account, AccountStore } from '../store/accounts.ts'
import type { Authenticator, LoginAttempt, LoginResult } from './authenticator.ts'
import { HashGate } from './hash-gate.ts'
import { LoginGuard } from './login-guard.ts'
import { normaliseLogin } from './normalise-login.ts'
import { dummyHash, isPassword } from './password-hash.ts'
import { preparePassword } from './prepare-password.ts'
import { RecentLogins } from './recent-logins.ts'

export interface AuthenticatorOptions {
  readonly store: Pick<AccountStore, 'findAccount'>
  readonly limits: Pick<Limits, 'loginsWaiting'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Told of each wrong password that is new; the same one said again is no guess. */
  readonly guessed?: (remoteAddress: string) => void
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return new PasswordAuthenticator(options)
}

/** What one attempt is about once it has been read. */
interface Claim {
  readonly address: string
  readonly account: Account | null
  /** PHC string to compare with; of nobody's password when there is no such account. */
  readonly hash: string
  readonly password: string
  readonly proof: string
  readonly remoteAddress: string
}

class PasswordAuthenticator implements Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #guard: LoginGuard
  readonly #gate: HashGate
  readonly #recent: RecentLogins
  readonly #underWay = new Map<string, Promise<boolean | null>>()
  readonly #key: Uint8Array
  readonly #dummyHash: string

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#guard = new LoginGuard(options.clock)
    this.#gate = new HashGate(options.limits.loginsWaiting)
    this.#recent = new RecentLogins(options.clock)
    this.#key = options.random.bytes(32)
    this.#dummyHash = dummyHash(options.random)
  }

  async verify(attempt: LoginAttempt, defaultDomain: string): Promise<LoginResult> {
    if (attempt.certified !== undefined)
      return this.#verifyCertified(attempt, attempt.certified, defaultDomain)
    const address = normaliseLogin(attempt.login, defaultDomain)
    const password = preparePassword(attempt.password)
    if (address === null || password === null) return { kind: 'refused' }
    const { authorisationId } = attempt
    if (authorisationId !== '' && normaliseLogin(authorisationId, defaultDomain) !== address)
      return { kind: 'refused' }
    try {
      const account = await this.#options.store.findAccount(address)
      const hash = account?.passwordHash ?? this.#dummyHash
      const proof = this.#prove(address, account, hash, password)
      const result = await this.#judge({
        address,
        account,
        hash,
        password,
        proof,
        remoteAddress: attempt.remoteAddress,
      })
      if (result.kind !== 'ok') this.#note(result.kind, attempt, account)
      return result
    } catch (error) {
      this.#options.log.error('log-in cannot be judged', { protocol: attempt.protocol, error })
      return { kind: 'unavailable' }
    }
  }

  /** EXTERNAL: nothing is compared, but who is turned away with a password is so with a certificate, and is counted. */
  async #verifyCertified(
    attempt: LoginAttempt,
    certified: readonly string[],
    defaultDomain: string,
  ): Promise<LoginResult> {
    const { authorisationId, remoteAddress } = attempt
    const address =
      authorisationId === '' ? (certified[0] ?? null) : normaliseLogin(authorisationId, defaultDomain)
    if (address === null) return { kind: 'refused' }
    if (this.#guard.admit(remoteAddress, address).kind === 'wait') return { kind: 'unavailable' }
    try {
      const account = certified.includes(address) ? await this.#options.store.findAccount(address) : null
      if (account !== null && account.passwordHash !== null) {
        this.#guard.succeeded(remoteAddress, address, false)
        return { kind: 'ok', account }
      }
      this.#guard.begin(remoteAddress, address)
      this.#guard.failed(remoteAddress, address, 'EXTERNAL')
      this.#options.guessed?.(remoteAddress)
      this.#note('refused', attempt, account)
      return { kind: 'refused' }
    } catch (error) {
      this.#options.log.error('log-in cannot be judged', { protocol: attempt.protocol, error })
      return { kind: 'unavailable' }
    }
  }

  async #judge(claim: Claim): Promise<LoginResult> {
    const { address, remoteAddress, proof, account } = claim
    // Before the recent successes: else they would answer guesses without bound.
    const admission = this.#guard.admit(remoteAddress, address)
    if (admission.kind === 'wait') return { kind: 'unavailable' }
    if (account !== null && this.#recent.has(proof)) {
      this.#guard.succeeded(remoteAddress, address, false)
      return { kind: 'ok', account }
    }
    if (this.#guard.isKnownWrong(remoteAddress, address, proof)) return { kind: 'refused' }
    const right = await this.#compareOnce(claim, admission.kind === 'slow' ? admission.delayMs : 0)
    if (right === null) return { kind: 'unavailable' }
    return right && account !== null ? { kind: 'ok', account } : { kind: 'refused' }
  }

  /** The same guess several times at once is one. @returns Null when too many wait for their hash. */
  async #compareOnce(claim: Claim, delayMs: number): Promise<boolean | null> {
    const { address, remoteAddress, proof } = claim
    const shared = `${remoteAddress} ${proof}`
    const underWay = this.#underWay.get(shared)
    if (underWay !== undefined) return underWay
    // Before the wait and the hash: guesses that are tried at once must see one another.
    this.#guard.begin(remoteAddress, address)
    const work = this.#compare(claim, delayMs)
    this.#underWay.set(shared, work)
    try {
      return await work
    } finally {
      this.#underWay.delete(shared)
    }
  }

  async #compare(claim: Claim, delayMs: number): Promise<boolean | null> {
    const { address, remoteAddress, proof, hash, password, account } = claim
    try {
      if (delayMs > 0) await new Promise<void>((resolve) => this.#options.clock.after(delayMs, resolve))
      const work = this.#gate.run(() => isPassword(hash, password))
      if (work === null) {
        this.#guard.abandoned(remoteAddress, address)
        return null
      }
      const right = await work
      if (right && account !== null) {
        this.#recent.add(proof)
        this.#guard.succeeded(remoteAddress, address, true)
      } else {
        this.#guard.failed(remoteAddress, address, proof)
        this.#options.guessed?.(remoteAddress)
      }
      return right
    } catch (error) {
      this.#guard.abandoned(remoteAddress, address)
      throw error
    }
  }

  /** A digest that only this process can make, and only from the right password and the row of now. */
  #prove(address: string, account: Account | null, hash: string, password: string): string {
    const parts = [address, String(account?.accountId ?? 0), hash, password]
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64')
  }

  /** The login as written is not logged: people type their password there. */
  #note(outcome: string, attempt: LoginAttempt, account: Account | null): void {
    const { protocol, remoteAddress } = attempt
    const facts = {
      outcome,
      protocol,
      remoteAddress,
      ...(account === null ? {} : { account: account.address }),
    }
    this.#options.log.info('log-in failed', facts)
  }
}
