/**
 * What an account may send: a stolen password sends thousands of messages, mostly to people its owner never wrote to. Counts
 * leak away over the hour and the day; they are notes, so that a restart does not give a thief a new day.
 */
import { BucketMap } from '../../base/bucket-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Notes } from '../../store/notes.ts'

export const accountLimitNames = [
  'messagesPerHour',
  'messagesPerDay',
  'recipientsPerHour',
  'recipientsPerDay',
  'newRecipientsPerDay',
] as const
export type AccountLimitName = (typeof accountLimitNames)[number]
export type AccountLimits = Readonly<Record<AccountLimitName, number>>

/** What differs for one account. */
export interface AccountOverride extends Partial<AccountLimits> {
  /** Sends nothing until somebody says otherwise. */
  readonly stopped?: boolean
}

export interface SubmissionLimitsOptions {
  readonly notes: Notes
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const sentKind = 'sent'
const overrideKind = 'account-limits'
const writtenKind = 'written-to'
const writtenMs = 180 * dayMs
const forever = 8.64e15

export class SubmissionLimits {
  readonly #options: SubmissionLimitsOptions
  readonly #defaults: AccountLimits
  /** One warning an hour for each account. */
  readonly #warned: BucketMap

  constructor(options: SubmissionLimitsOptions) {
    this.#options = options
    const { limits, clock } = options
    this.#defaults = {
      messagesPerHour: limits.submissionMessagesPerHour,
      messagesPerDay: limits.submissionMessagesPerDay,
      recipientsPerHour: limits.submissionRecipientsPerHour,
      recipientsPerDay: limits.submissionRecipientsPerDay,
      newRecipientsPerDay: limits.submissionNewRecipientsPerDay,
    }
    this.#warned = new BucketMap(clock, 1, hourMs, limits.addressesRemembered)
  }

  overrideOf(accountId: number): AccountOverride {
    return (this.#options.notes.get(overrideKind, String(accountId))?.value ?? {}) as AccountOverride
  }

  /** @param changes Null: as everybody. */
  override(accountId: number, changes: AccountOverride | null): void {
    const { notes } = this.#options
    const key = String(accountId)
    if (changes === null) notes.delete(overrideKind, key)
    else notes.put(overrideKind, key, { ...this.overrideOf(accountId), ...changes }, forever)
  }

  limitsOf(accountId: number): AccountLimits {
    const { stopped: _, ...changes } = this.overrideOf(accountId)
    return { ...this.#defaults, ...changes }
  }

  /** How much of each limit is used up. */
  used(accountId: number): AccountLimits {
    const levels = this.#levels(accountId, this.limitsOf(accountId))
    return Object.fromEntries(
      accountLimitNames.map((name) => [name, Math.ceil(levels[name])]),
    ) as AccountLimits
  }

  /** Counts a message. @returns The bound that is reached; then it is not counted. */
  addMessage(accountId: number): AccountLimitName | 'stopped' | null {
    if (this.overrideOf(accountId).stopped === true) return 'stopped'
    return this.#add(accountId, ['messagesPerHour', 'messagesPerDay'])
  }

  /** @param address `local-part@domain`. */
  addRecipient(accountId: number, address: string): AccountLimitName | null {
    const { notes, clock } = this.#options
    const key = `${accountId} ${address.toLowerCase()}`
    const isNew = notes.get(writtenKind, key) === null
    const names: AccountLimitName[] = ['recipientsPerHour', 'recipientsPerDay']
    const reached = this.#add(accountId, isNew ? [...names, 'newRecipientsPerDay'] : names)
    if (reached === null) notes.put(writtenKind, key, 1, clock.now() + writtenMs)
    return reached
  }

  /** Tells the operator, once an hour. */
  warn(account: { readonly accountId: number; readonly address: string }, reached: string): void {
    const key = String(account.accountId)
    if (this.#warned.isFull(key)) return
    this.#warned.add(key)
    this.#options.log.warn('account stopped: it sends more than it may', {
      account: account.address,
      limit: reached,
    })
  }

  #add(accountId: number, names: readonly AccountLimitName[]): AccountLimitName | null {
    const limits = this.limitsOf(accountId)
    const levels = this.#levels(accountId, limits)
    const reached = names.find((name) => levels[name] + 1 > limits[name])
    if (reached !== undefined) return reached
    for (const name of names) levels[name]++
    const { notes, clock } = this.#options
    const now = clock.now()
    // What is older than a day has leaked away.
    notes.put(sentKind, String(accountId), { ...levels, at: now }, now + dayMs)
    return null
  }

  #levels(accountId: number, limits: AccountLimits): Record<AccountLimitName, number> {
    const { notes, clock } = this.#options
    const noted = notes.get(sentKind, String(accountId))?.value as
      | (Record<AccountLimitName, number> & { at: number })
      | undefined
    const elapsedMs = noted === undefined ? 0 : Math.max(0, clock.now() - noted.at)
    const level = (name: AccountLimitName): [AccountLimitName, number] => {
      const leaked = (elapsedMs / (name.endsWith('Hour') ? hourMs : dayMs)) * limits[name]
      return [name, Math.max(0, (noted?.[name] ?? 0) - leaked)]
    }
    return Object.fromEntries(accountLimitNames.map(level)) as Record<AccountLimitName, number>
  }
}
