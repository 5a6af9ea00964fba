/**
 * Puts the messages of one account back that a backup has and the store has not. They come as new messages, with UIDs above
 * all there are: nothing that a client knows changes its meaning. What is done before an interruption stays, and the same
 * command goes on with the rest.
 */
import { join } from 'node:path'
import { MessageScanner } from '../../../message/scan.ts'
import type { AccountRestoreReport, AccountRestoreRequest, WorkProgress } from '../../backup.ts'
import type { BodySink } from '../../body.ts'
import { AccountUnknown } from '../../errors.ts'
import { flagBits } from '../../store.ts'
import type { Filing, Store } from '../../store.ts'
import { shardFolder } from './layout.ts'
import { MissingClient } from './missing-client.ts'
import type { MissingItem, MissingMessage, MissingPlan } from './missing-messages.ts'

/** Failures that are told in full. */
const failuresMax = 100
const pieceOctets = 262_144

/**
 * @param data The store's data folder.
 * @throws {BackupUnusable} @throws {AccountUnknown} @throws {StoreUnavailable}
 */
export async function restoreAccount(
  store: Store,
  data: string,
  request: AccountRestoreRequest,
  progress: (progress: WorkProgress) => void,
  signal?: AbortSignal,
): Promise<AccountRestoreReport> {
  const target = request.as ?? request.address
  const known = await store.findAccount(target)
  if (known === null && request.as !== null) throw new AccountUnknown(target)
  const { folder, at, address, under } = request
  const asked = {
    folder,
    at,
    address,
    under,
    shard: join(data, shardFolder),
    accountId: known?.accountId ?? null,
  }
  const client = new MissingClient(asked, signal)
  try {
    const plan = await client.plan()
    // Removed since the backup was made: it comes back with its password.
    const account = known ?? (await store.addAccount(target, plan.passwordHash))
    const { ids, made } = await makeMailboxes(store, account.accountId, plan, under !== null)
    const filer = new Filer(store, account.accountId, ids, plan.missing, progress)
    for (let item = await client.next(); item !== null; item = await client.next()) await filer.take(item)
    return {
      ...{ name: plan.name, takenAt: plan.takenAt, address: target, accountMade: known === null },
      ...{ mailboxesMade: made, present: plan.present, ...filer.counts },
    }
  } finally {
    await client.close()
  }
}

/** @param needed Only those that get a message. @returns All ids by name. */
async function makeMailboxes(
  store: Store,
  accountId: number,
  { mailboxes }: MissingPlan,
  needed: boolean,
): Promise<{ ids: Map<string, number>; made: string[] }> {
  const there = await store.listMailboxes(accountId)
  const ids = new Map(there.map(({ name, mailboxId }) => [name, mailboxId]))
  const uses = new Set(there.map(({ specialUse }) => specialUse))
  const made: string[] = []
  for (const { name, specialUse, subscribed, missing } of mailboxes) {
    if (ids.has(name) || (needed && missing === 0)) continue
    const free = specialUse !== null && !uses.has(specialUse)
    await store.createMailbox(accountId, name, free ? specialUse : null)
    if (subscribed) await store.setSubscribed(accountId, name, true)
    made.push(name)
    // Its parents may have been made along with it.
    for (const { name: other, mailboxId } of await store.listMailboxes(accountId)) ids.set(other, mailboxId)
  }
  return { ids, made }
}

class Filer {
  readonly #store: Store
  readonly #accountId: number
  readonly #ids: ReadonlyMap<string, number>
  readonly #total: number
  readonly #progress: (progress: WorkProgress) => void
  readonly #failed: string[] = []
  #failedCount = 0
  #added = 0
  #open: {
    readonly message: MissingMessage
    readonly sink: BodySink
    readonly scanner: MessageScanner
  } | null = null

  constructor(
    store: Store,
    accountId: number,
    ids: ReadonlyMap<string, number>,
    total: number,
    progress: (progress: WorkProgress) => void,
  ) {
    this.#store = store
    this.#accountId = accountId
    this.#ids = ids
    this.#total = total
    this.#progress = progress
  }

  get counts(): { added: number; failed: string[]; failedCount: number } {
    return { added: this.#added, failed: this.#failed, failedCount: this.#failedCount }
  }

  async take(item: MissingItem): Promise<void> {
    if (item.kind === 'messages') {
      await Promise.all(item.messages.map((message) => this.#fileWhole(message)))
    } else if (item.kind === 'begin') {
      this.#open = { message: item.message, sink: this.#store.openBody(), scanner: new MessageScanner() }
    } else if (item.kind === 'piece') {
      await this.#write(item.octets)
    } else if (item.kind === 'end') {
      const { message, sink, scanner } = this.#open!
      this.#open = null
      await this.#file(message, sink, scanner)
    } else {
      this.#open?.sink.abort()
      this.#open = null
      this.#fail(item.places, item.text)
    }
    this.#progress({ step: 'messages', done: this.#added, total: this.#total, unit: 'messages' })
  }

  async #write(octets: Uint8Array): Promise<void> {
    const { sink, scanner } = this.#open!
    for (let at = 0; at < octets.length; at += pieceOctets) {
      const piece = octets.subarray(at, at + pieceOctets)
      scanner.push(piece)
      await sink.write(piece)
    }
  }

  async #fileWhole(message: MissingMessage & { readonly body: Uint8Array }): Promise<void> {
    const scanner = new MessageScanner()
    scanner.push(message.body)
    const sink = this.#store.openBody()
    await sink.write(message.body)
    await this.#file(message, sink, scanner)
  }

  async #file(message: MissingMessage, sink: BodySink, scanner: MessageScanner): Promise<void> {
    const { places, prefix, journeyId } = message
    const filings: Filing[] = places.map(({ mailbox, flags, keywords, internalDate }) => ({
      ...{ accountId: this.#accountId, mailboxId: this.#ids.get(mailbox) ?? null },
      // What carried \Deleted would go again with the next EXPUNGE of any client.
      flags: flags & ~flagBits['\\Deleted'],
      ...{ prefix, keywords, internalDate, journeyId },
    }))
    try {
      const body = await sink.finish()
      const [result] = await this.#store.accept([
        { body, scan: scanner.finish(), filings, queue: [], withinQuota: true },
      ])
      if (result instanceof Error) throw result
      this.#added += filings.length
    } catch (error) {
      sink.abort()
      // Nothing else can succeed either.
      if ((error as Error).name === 'StoreUnavailable') throw error
      this.#fail(places, (error as Error).message)
    }
  }

  #fail(places: MissingMessage['places'], text: string): void {
    for (const { mailbox, internalDate } of places) {
      this.#failedCount++
      if (this.#failed.length >= failuresMax) continue
      this.#failed.push(`${mailbox}, a message of ${new Date(internalDate).toISOString()}: ${text}`)
    }
  }
}
