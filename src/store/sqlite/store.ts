/**
 * The store on SQLite: what is read here is read on the calling thread, by key or in pages; what is changed is asked of
 * the writer's thread. Nothing here waits for the disk.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Account, AddressMeaning, Alias, Quota, RemovedAccount } from '../accounts.ts'
import type { BodyRef, BodySink } from '../body.ts'
import type { ChangeListener, MailboxChanges } from '../changes.ts'
import type { BackupDomainStore } from '../backup-domains.ts'
import type { DomainKey } from '../domain-keys.ts'
import { BodyUnreadable } from '../errors.ts'
import type {
  CleanProgress,
  CleanReport,
  ExpungedMessage,
  ExpungedQuery,
  MessagePlace,
  StoreStat,
  Undeleted,
} from '../housekeeping.ts'
import type { MailboxIndex } from '../mailbox-index.ts'
import type { QueueEntry, QueueTaker, Settlement } from '../queue.ts'
import type { IndexState, SearchRequest, SearchStatus } from '../search.ts'
import type { SearchClient } from '../search/search-client.ts'
import type {
  AcceptItem,
  Accepted,
  Copied,
  Email,
  FlagChange,
  FlagsStored,
  Mailbox,
  SpecialUse,
  Store,
} from '../store.ts'
import type { BodyFiles } from './body-files.ts'
import type { BodyReader } from './body-reader.ts'
import type { AcceptAnswer } from './accept.ts'
import { ArrivingBody } from './body-sink.ts'
import { changesSince } from './changes-since.ts'
import type { Sql } from './database.ts'
import { changeOf, type Delta, packUids } from './delta.ts'
import { leasedEntries } from './enqueue.ts'
import { openBackupDomains } from './backup-domains.ts'
import { listDomainKeys } from './domain-keys.ts'
import { checkPrefixes } from './check-prefixes.ts'
import { Describer } from './describe.ts'
import { FileHold } from './housekeeping/file-hold.ts'
import { Housekeeper } from './housekeeping/housekeeper.ts'
import type { HousekeeperParts } from './housekeeping/housekeeper.ts'
import { listExpunged } from './housekeeping/read-expunged.ts'
import { removedAccounts } from './housekeeping/removed-accounts.ts'
import { IndexCache } from './index-cache.ts'
import { IndexLoader } from './index-loader.ts'
import { KnownAddresses } from './known-addresses.ts'
import { Listeners } from './listeners.ts'
import { QueueListeners, type Reservation } from './queue-listeners.ts'
import { AccountReader } from './read-accounts.ts'
import { listPage, readPages } from './read-pages.ts'
import { readEmails } from './read-emails.ts'
import { findMailbox, listMailboxes, listSubscriptions } from './read-mailboxes.ts'
import { countQueue, listQueue, nextDueAt } from './read-queue.ts'
import { Sweeper } from './sweeper.ts'
import type { WriterClient } from './writer-client.ts'

/** Emails that are read without letting others have a turn first. */
const emailsATurn = 50

/** Messages that are put back in one transaction. */
const undeletedAtOnce = 200
/** Removed accounts that are listed. */
const removedAccountsMax = 1_000

export interface StoreParts {
  readonly sql: Sql
  readonly bodies: BodyReader
  readonly files: BodyFiles
  readonly search: SearchClient
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly housekeeping: HousekeeperParts['data']
  /** It tells `changed` and `tellQueue`. */
  readonly writer: WriterClient
  /** Gives back the data folder. */
  letGo(): void
}

export class SqliteStore implements Store {
  readonly #parts: StoreParts
  readonly #sql: Sql
  readonly #accounts: AccountReader
  readonly #addresses: KnownAddresses
  readonly #writer: WriterClient
  readonly #loader: IndexLoader
  readonly #indexes: IndexCache
  readonly #listeners: Listeners
  readonly #queueListeners: QueueListeners
  readonly #sweeper: Sweeper
  readonly #hold = new FileHold()
  readonly backupDomains: BackupDomainStore
  readonly #housekeeper: Housekeeper
  #queueEntries: number
  #closing: Promise<void> | null = null

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#sql = parts.sql
    this.#accounts = new AccountReader(parts.sql)
    this.#addresses = new KnownAddresses(this.#accounts, parts.writer, parts.limits.addressesKnown)
    this.#queueEntries = countQueue(parts.sql)
    this.#listeners = new Listeners(parts.log)
    this.#queueListeners = new QueueListeners(parts.log)
    this.#loader = new IndexLoader({ folder: parts.housekeeping.folder }, parts.clock)
    this.#indexes = new IndexCache(parts.sql, this.#loader)
    this.#writer = parts.writer
    this.backupDomains = openBackupDomains(parts.sql, parts.writer)
    const { writer, clock, log, limits } = parts
    this.#sweeper = new Sweeper(writer, clock, this.#hold, limits.undeleteMs)
    this.#housekeeper = new Housekeeper({
      ...{ data: parts.housekeeping, limits, writer, clock, log, hold: this.#hold },
      removed: (names) => parts.bodies.forget(names),
    })
  }

  async addDomain(domain: string): Promise<void> {
    await this.#addresses.change('addDomain', { domain })
  }

  async removeDomain(domain: string): Promise<void> {
    await this.#addresses.change('removeDomain', { domain })
  }

  async listDomains(): Promise<string[]> {
    return this.#accounts.domains()
  }

  async addDomainKey(key: DomainKey): Promise<void> {
    await this.#writer.ask('addDomainKey', key)
  }

  async listDomainKeys(domain: string): Promise<DomainKey[]> {
    return listDomainKeys(this.#sql, domain)
  }

  retireDomainKey(domain: string, selector: string, at: number): Promise<boolean> {
    return this.#writer.ask('retireDomainKey', { domain, selector, at })
  }

  removeDomainKey(domain: string, selector: string): Promise<boolean> {
    return this.#writer.ask('removeDomainKey', { domain, selector })
  }

  async addAccount(address: string, passwordHash: string | null): Promise<Account> {
    const [account] = await this.#addresses.change('addAccounts', { accounts: [{ address, passwordHash }] })
    return account!
  }

  addAccounts(accounts: readonly { address: string; passwordHash: string | null }[]): Promise<Account[]> {
    return this.#addresses.change('addAccounts', { accounts }, 'bulk')
  }

  async removeAccount(address: string): Promise<void> {
    await this.#addresses.change('removeAccount', { address })
  }

  async listRemovedAccounts(): Promise<RemovedAccount[]> {
    return removedAccounts(this.#sql, removedAccountsMax)
  }

  async restoreAccount(address: string): Promise<Account> {
    return this.#accounts.byId(await this.#addresses.change('restoreAccount', { address }))!
  }

  async setQuota(address: string, quota: Quota): Promise<void> {
    await this.#addresses.change('setQuota', { address, quota })
  }

  async setPassword(address: string, passwordHash: string): Promise<void> {
    await this.#addresses.change('setPassword', { address, passwordHash })
  }

  async findAccount(address: string): Promise<Account | null> {
    await this.#writer.readable()
    return this.#accounts.byAddress(address)
  }

  async getAccount(accountId: number): Promise<Account | null> {
    await this.#writer.readable()
    return this.#accounts.byId(accountId)
  }

  async listAccounts(): Promise<Account[]> {
    await this.#writer.readable()
    return readPages((last: Account | undefined) => this.#accounts.page(last?.accountId ?? 0, listPage))
  }

  async addAlias(address: string, targets: readonly string[]): Promise<void> {
    await this.#addresses.change('addAlias', { address, targets })
  }

  async removeAlias(address: string): Promise<void> {
    await this.#addresses.change('removeAlias', { address })
  }

  listAliases(): Promise<Alias[]> {
    return readPages((last: Alias | undefined) => this.#accounts.aliases(last?.address ?? '', listPage))
  }

  resolveAddress(address: string): AddressMeaning {
    return this.#addresses.resolve(address)
  }

  async listMailboxes(accountId: number): Promise<Mailbox[]> {
    await this.#writer.readable()
    return listMailboxes(this.#sql, accountId)
  }

  async findMailbox(accountId: number, name: string): Promise<Mailbox | null> {
    await this.#writer.readable()
    return findMailbox(this.#sql, accountId, name)
  }

  createMailbox(accountId: number, name: string, specialUse: SpecialUse | null = null): Promise<Mailbox> {
    return this.#writer.ask('createMailbox', { accountId, name, specialUse })
  }

  async renameMailbox(accountId: number, mailboxId: number, name: string): Promise<void> {
    await this.#writer.ask('renameMailbox', { accountId, mailboxId, name })
  }

  async deleteMailbox(accountId: number, mailboxId: number): Promise<void> {
    await this.#writer.ask('deleteMailbox', { accountId, mailboxId })
    this.#sweeper.wake()
  }

  async setSubscribed(accountId: number, name: string, subscribed: boolean): Promise<void> {
    await this.#writer.ask('setSubscribed', { accountId, name, subscribed })
  }

  async listSubscriptions(accountId: number): Promise<string[]> {
    return listSubscriptions(this.#sql, accountId)
  }

  openBody(): BodySink {
    return new ArrivingBody(this.#parts.files)
  }

  async accept(items: readonly AcceptItem[]): Promise<(Accepted | Error)[]> {
    if (items.length === 1) return [await this.#acceptOne(items[0]!)]
    return Promise.all(items.map((item) => this.#acceptOne(item)))
  }

  async #acceptOne(item: AcceptItem): Promise<Accepted | Error> {
    const reservation = this.#queueListeners.reserve(item.queue.length)
    let leased: readonly QueueEntry[] = []
    const { content } = item.body
    if (content.kind === 'file') this.#parts.files.markAccepted(content.file)
    try {
      const { filed, enqueued } = await this.#write(item, reservation)
      if (reservation !== null) leased = leasedEntries(item.queue, item.body.octets, enqueued)
      return { filed, queueIds: enqueued.map(({ queueId }) => queueId) }
    } catch (error) {
      if (content.kind === 'file') this.#parts.files.unmarkAccepted(content.file)
      return error as Error
    } finally {
      reservation?.taker.take(reservation.rows, leased)
    }
  }

  #write(item: AcceptItem, reservation: Reservation | null): Promise<AcceptAnswer> {
    const { content, octets } = item.body
    checkPrefixes(item.filings)
    checkPrefixes(item.queue)
    const describer = new Describer(item.scan)
    const filings = item.filings.map((filing) => ({ ...filing, text: describer.textFor(filing.prefix) }))
    const inMemory = content.kind === 'memory'
    return this.#writer.accept(octets, inMemory ? content.chunks : null, (at) => ({
      octets,
      // Only a large body's hash is at hand; asking a small one for it would compute it.
      body: inMemory ? { at } : { file: content.file, hash: item.body.hash },
      texts: describer.texts,
      filings,
      queue: item.queue,
      terms: reservation?.terms ?? null,
      settle: item.settle ?? [],
      withinQuota: item.withinQuota === true,
    }))
  }

  async loadIndex(accountId: number, mailboxId: number): Promise<MailboxIndex> {
    await this.#writer.readable()
    return this.#indexes.load(accountId, mailboxId)
  }

  async getEmails(accountId: number, emailIds: readonly number[]): Promise<(Email | null)[]> {
    await this.#writer.readable()
    // A caller that asks for page after page must not keep the sockets waiting until it has all of them.
    if (emailIds.length > emailsATurn) await nextTurn()
    return readEmails(this.#sql, accountId, emailIds)
  }

  async readBody(body: BodyRef, offset: number, octets: number): Promise<Uint8Array> {
    await this.#writer.readable()
    if (this.#closing !== null) throw new BodyUnreadable('the store is closed')
    return this.#parts.bodies.read(body, offset, octets)
  }

  storeFlags(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    change: FlagChange,
  ): Promise<FlagsStored> {
    return this.#writer.ask('storeFlags', { accountId, mailboxId, uids: packUids(uids), change })
  }

  copy(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    targetMailboxId: number,
  ): Promise<Copied> {
    return this.#writer.ask('copy', { accountId, mailboxId, uids: packUids(uids), targetMailboxId })
  }

  move(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    targetMailboxId: number,
  ): Promise<Copied> {
    return this.#writer.ask('move', { accountId, mailboxId, uids: packUids(uids), targetMailboxId })
  }

  expunge(accountId: number, mailboxId: number, uids: readonly number[]): Promise<number[]> {
    return this.#writer.ask('expunge', { accountId, mailboxId, uids: packUids(uids) })
  }

  async listExpunged(accountId: number, query: ExpungedQuery): Promise<ExpungedMessage[]> {
    await this.#writer.readable()
    return listExpunged(this.#sql, accountId, query)
  }

  async undelete(accountId: number, messages: readonly MessagePlace[]): Promise<Undeleted[]> {
    const undeleted: Undeleted[] = []
    for (let at = 0; at < messages.length; at += undeletedAtOnce) {
      const some = messages.slice(at, at + undeletedAtOnce)
      undeleted.push(...(await this.#writer.ask('undelete', { accountId, messages: some }, 'bulk')))
    }
    return undeleted
  }

  async stat(): Promise<StoreStat> {
    await this.#writer.readable()
    return this.#housekeeper.stat()
  }

  clean(progress?: (progress: CleanProgress) => void): Promise<CleanReport> {
    return this.#housekeeper.clean(progress)
  }

  async holdFiles(): Promise<() => void> {
    const letGo = await this.#hold.hold()
    try {
      // What leaves the queue takes the file of its large body along, whatever the housekeeping does.
      await this.#writer.ask('keepFiles', { keep: true })
    } catch (error) {
      letGo()
      throw error
    }
    let held = true
    return () => {
      letGo()
      // A store that is closing has nobody to tell: what nobody needs goes on a later day.
      if (held) this.#writer.ask('keepFiles', { keep: false }).catch(() => {})
      held = false
    }
  }

  async changesSince(
    accountId: number,
    mailboxId: number,
    since: number,
    limit: number,
  ): Promise<MailboxChanges> {
    const index = await this.loadIndex(accountId, mailboxId)
    try {
      // While it was loaded it may have learnt what the tables do not show yet.
      await this.#writer.readable()
      return changesSince(this.#sql, index, since, limit)
    } finally {
      index.release()
    }
  }

  search(accountId: number, request: SearchRequest): Promise<Uint32Array> {
    return this.#parts.search.search(accountId, request)
  }

  searchStatus(): Promise<SearchStatus> {
    return this.#parts.search.searchStatus()
  }

  get indexState(): IndexState {
    return this.#parts.search.indexState
  }

  subscribe(accountId: number, listener: ChangeListener): () => void {
    return this.#listeners.add(accountId, listener)
  }

  lease(nowMs: number, leaseMs: number, limit: number): Promise<QueueEntry[]> {
    return this.#writer.ask('lease', { nowMs, leaseMs, limit }, 'patient')
  }

  async renewLease(accountId: number, queueId: number, untilMs: number): Promise<void> {
    await this.#writer.ask('renewLease', { accountId, queueId, untilMs })
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    await this.#writer.ask('settle', settlements, 'patient')
  }

  async nextDueAt(): Promise<number | null> {
    await this.#writer.readable()
    return nextDueAt(this.#sql)
  }

  get queueEntries(): number {
    return this.#queueEntries
  }

  proveWrites(withinMs: number): Promise<void> {
    return this.#writer.proveWrites(withinMs)
  }

  async listQueue(limit: number): Promise<QueueEntry[]> {
    await this.#writer.readable()
    const entries = await readPages((last: QueueEntry | undefined, had: number) =>
      listQueue(this.#sql, last?.queueId ?? 0, Math.min(listPage, limit - had)),
    )
    return entries.slice(0, limit)
  }

  retryNow(queueId: number | null, nowMs: number, domain?: string): Promise<number> {
    return this.#writer.ask('retryNow', { queueId, nowMs, ...(domain === undefined ? {} : { domain }) })
  }

  dropEntry(queueId: number): Promise<boolean> {
    return this.#writer.ask('dropEntry', { queueId })
  }

  handOut(taker: QueueTaker): () => void {
    return this.#queueListeners.handOut(taker)
  }

  onQueued(listener: () => void): () => void {
    return this.#queueListeners.add(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#sweeper.stop()
    await Promise.all([this.#housekeeper.close(), this.#writer.close(), this.#parts.search.close()])
    await Promise.all([this.#parts.files.close(), this.#loader.close()])
    await this.#parts.bodies.close()
    this.#sql.close()
    this.#parts.letGo()
  }

  /** The writer has answered these. */
  changed(deltas: readonly Delta[]): void {
    for (const delta of deltas) this.#indexes.apply(delta)
    for (const delta of deltas) this.#listeners.tell(delta.accountId, () => changeOf(delta))
    this.#parts.search.changed(deltas)
  }

  queueGrew(by: number): void {
    this.#queueEntries += by
  }

  /** Octets of bodies became garbage. */
  freed(octets: number): void {
    this.#housekeeper.freed(octets)
  }

  tellQueue(): void {
    this.#queueListeners.tell()
  }
}
