/**
 * Copies of mail that was refused for what it is, in a mailbox of whom it was meant for: the sender still hears of the
 * refusal, and a person can look whether it was right. What is kept is bounded in number, size and age for each account;
 * only messages with our keyword are ever cleared away, so that nothing else in a mailbox of that name is touched.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { RejectsConfig } from '../base/rejects-config.ts'
import { buildPrefix, formatField, formatReturnPath } from '../message/fields.ts'
import type { MessageScan } from '../message/scan.ts'
import { isFull } from '../store/accounts.ts'
import type { StagedBody } from '../store/body.ts'
import { MailboxExists } from '../store/errors.ts'
import { type Filed, type Filing, flagBits, type Mailbox, type Store } from '../store/store.ts'

/** On each of them. */
export const refusedKeyword = '$Refused'
/** Says in the copy why. */
const reasonField = 'X-Posthorn-Refused'

export interface RejectsOptions {
  readonly config: RejectsConfig & { readonly mailbox: string }
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Filters whose refusals leave no copy: what a virus scanner refuses helps nobody. */
  readonly except: ReadonlySet<string>
}

export interface RefusedMessage {
  /** Asked for only when it is filed. */
  body(): StagedBody | Promise<StagedBody>
  readonly scan: MessageScan
  readonly reversePath: string
  readonly accountIds: readonly number[]
  /** What its sender hears. */
  readonly reason: string
  /** Received, and what was found out about it; each with its CRLF. */
  readonly fields: readonly string[]
  readonly journeyId: string
}

const sweepEveryMs = 86_400_000

export class Rejects {
  readonly #options: RejectsOptions
  #cancel: (() => void) | null = null

  constructor(options: RejectsOptions) {
    this.#options = options
  }

  get mailbox(): string {
    return this.#options.config.mailbox
  }

  /** Whether a copy is wanted at all. @param octets Of the message. */
  wants(filter: string, octets: number): boolean {
    return !this.#options.except.has(filter) && octets <= this.#options.config.messageOctets
  }

  /** Accounts that are full get none. @returns What was filed. @throws {StoreError} */
  async file(message: RefusedMessage): Promise<readonly Filed[]> {
    const { store, clock } = this.#options
    const { scan, fields, reason, reversePath } = message
    const above = [formatReturnPath(reversePath), formatField(reasonField, reason), ...fields]
    const filings: Filing[] = []
    for (const accountId of new Set(message.accountIds)) {
      const account = await store.getAccount(accountId)
      if (account === null || isFull(account)) continue
      const { mailboxId } = await this.#mailboxOf(accountId)
      filings.push({
        ...{ accountId, mailboxId, keywords: [refusedKeyword], flags: flagBits['\\Seen'] },
        prefix: buildPrefix(above, scan.hasHeader),
        internalDate: clock.now(),
        journeyId: message.journeyId,
      })
    }
    if (filings.length === 0) return []
    const body = await message.body()
    const [accepted] = await store.accept([{ body, scan, filings, queue: [], withinQuota: true }])
    if (accepted === undefined || accepted instanceof Error)
      throw accepted ?? new Error('The store did not answer')
    for (const { accountId, mailboxId } of accepted.filed) await this.#trim(accountId, mailboxId)
    return accepted.filed
  }

  /** Clears away what is too old, every day: also where nothing is refused any more. */
  start(): void {
    this.#cancel = this.#options.clock.after(sweepEveryMs, () => {
      this.sweep()
        .catch((error: unknown) => this.#options.log.error('refused mail cannot be cleared away', { error }))
        .finally(() => {
          if (this.#cancel !== null) this.start()
        })
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  async sweep(): Promise<void> {
    const { store, config } = this.#options
    for (const { accountId } of await store.listAccounts()) {
      const mailbox = await store.findMailbox(accountId, config.mailbox)
      if (mailbox !== null && mailbox.total > 0) await this.#trim(accountId, mailbox.mailboxId)
      await nextTurn()
    }
  }

  async #mailboxOf(accountId: number): Promise<Mailbox> {
    const { store, config } = this.#options
    const there = await store.findMailbox(accountId, config.mailbox)
    if (there !== null) return there
    try {
      return await store.createMailbox(accountId, config.mailbox)
    } catch (error) {
      const made = error instanceof MailboxExists ? await store.findMailbox(accountId, config.mailbox) : null
      if (made === null) throw error
      return made
    }
  }

  /** The newest stay, as many as there is room for. */
  async #trim(accountId: number, mailboxId: number): Promise<void> {
    const { store, clock, config } = this.#options
    const index = await store.loadIndex(accountId, mailboxId)
    const bit = index.keywordNames.findIndex((name) => name.toLowerCase() === refusedKeyword.toLowerCase())
    const gone: number[] = []
    let [messages, octets] = [0, 0]
    for (let row = index.length - 1; row >= 0 && bit >= 0; row--) {
      if (((index.keywords[row]! >>> bit) & 1) === 0) continue
      messages++
      octets += index.sizes[row]!
      const tooOld = index.internalDates[row]! < clock.now() - config.ageMs
      if (tooOld || messages > config.messages || octets > config.octets) gone.push(index.uids[row]!)
    }
    index.release()
    if (gone.length > 0) await store.expunge(accountId, mailboxId, gone.reverse())
  }
}
