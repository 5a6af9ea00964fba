/**
 * The server's side of imports: opens one for each source, takes its messages in batches and files them.
 *
 * One import of a source is under way at a time. Opening it again (its command died) waits for what the dead one had
 * asked for and lets nothing more of it in, so that the new one can look at what is there and trust it.
 */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { timeOrderedId } from '../base/random.ts'
import type { JourneySink } from '../journey/event.ts'
import { Recorder } from '../journey/recorder.ts'
import { decodeEncodedWords } from '../message/encoded-word.ts'
import { type MessageScan, MessageScanner } from '../message/scan.ts'
import { type Account, isFull } from '../store/accounts.ts'
import type { BodySink, StagedBody } from '../store/body.ts'
import { LimitReached, MailboxExists, MailboxGone, OverQuota } from '../store/errors.ts'
import type { AcceptItem, Store } from '../store/store.ts'
import { allFlags, gatherKeywords } from './keywords.ts'
import type {
  BatchHead,
  BatchMessage,
  FiledMessage,
  OpenedImport,
  SoughtMessage,
  TargetMailbox,
} from './wire.ts'
import { shortHash } from './wire.ts'

export interface ImportDeskOptions {
  readonly store: Store
  readonly journeys: JourneySink
  readonly clock: Clock
  readonly random: Random
  /** Octets of a message at most. */
  readonly messageOctets: number
}

/** No such import is under way: the server was restarted, or the same source was begun anew. */
export class ImportGone extends Error {}

/** Imports under way at once; the one that was asked for longest ago gives way. */
const importsMax = 16
/** Messages of one import that get a journey: a mailbox of years must not push out those of the last days. */
const journeysMax = 10_000
/** Octets that are scanned before others get their turn. */
const octetsATurn = 262_144

interface Import {
  readonly importId: string
  readonly source: string
  readonly account: Account
  /** What was asked for last. */
  tail: Promise<unknown>
  /** Batches that have had their turn, or have it. */
  sequence: number
  /** Those that came before their turn. */
  readonly early: Map<number, () => void>
  staged: { readonly sink: BodySink; readonly scanner: MessageScanner; octets: number } | null
  /** Names of the mailboxes it files into, by id. */
  readonly mailboxes: Map<number, string>
  journeys: number
}

export class ImportDesk {
  readonly #options: ImportDeskOptions
  /** In the order of their last use. */
  readonly #imports = new Map<string, Import>()

  constructor(options: ImportDeskOptions) {
    this.#options = options
  }

  /** @param source What its command calls it; the same for the same source. */
  async open(account: Account, source: string): Promise<OpenedImport> {
    const { store, clock, random, messageOctets } = this.#options
    const key = `${account.accountId} ${source}`
    for (const one of this.#imports.values()) if (one.source === key) await this.#end(one)
    for (const one of this.#imports.values()) {
      if (this.#imports.size < importsMax) break
      await this.#end(one)
    }
    const importId = timeOrderedId(clock.now(), random)
    const fresh: Import = {
      importId,
      source: key,
      account,
      tail: Promise.resolve(),
      sequence: 0,
      early: new Map(),
      staged: null,
      mailboxes: new Map(),
      journeys: 0,
    }
    this.#imports.set(importId, fresh)
    const mailboxes = await store.listMailboxes(account.accountId)
    const accountKey = accountKeyOf(account, mailboxes)
    return { importId, accountKey, messageOctets, mailboxes: mailboxes.map(({ name }) => name) }
  }

  async close(importId: string): Promise<void> {
    const found = this.#imports.get(importId)
    if (found !== undefined) await this.#end(found)
  }

  async #end(one: Import): Promise<void> {
    this.#imports.delete(one.importId)
    for (const go of one.early.values()) go()
    await one.tail.catch(() => {})
    one.staged?.sink.abort()
    one.staged = null
  }

  /** Finds a mailbox, or makes it. */
  mailbox(importId: string, name: string): Promise<TargetMailbox> {
    return this.#next(importId, async ({ account, mailboxes }) => {
      const { store } = this.#options
      const { accountId } = account
      const found = await store.findMailbox(accountId, name)
      const mailbox = found ?? (await createOrFind(store, accountId, name))
      if (found === null) await store.setSubscribed(accountId, mailbox.name, true)
      const { mailboxId, uidValidity, uidNext } = mailbox
      mailboxes.set(mailboxId, mailbox.name)
      return { mailboxId, uidValidity, uidNext, created: found === null }
    })
  }

  /** Takes the next octets of a message that is too long for a batch. @param first Forgets what came before. */
  piece(importId: string, first: boolean, octets: Uint8Array): Promise<{ octets: number }> {
    return this.#next(importId, async (one) => {
      if (first || one.staged === null) {
        one.staged?.sink.abort()
        one.staged = { sink: this.#options.store.openBody(), scanner: new MessageScanner(), octets: 0 }
      }
      const { staged } = one
      staged.octets += octets.length
      if (staged.octets > this.#options.messageOctets) {
        staged.sink.abort()
        one.staged = null
        throw new RangeError('The message is over the limit')
      }
      staged.scanner.push(octets)
      await staged.sink.write(octets)
      return { octets: staged.octets }
    })
  }

  /** Files messages. @returns In their order; each succeeds or fails by itself. */
  async file(importId: string, head: BatchHead, octets: Buffer): Promise<FiledMessage[]> {
    const one = this.#get(importId)
    // What can be done while the batch before is being written is done now.
    const read = head.staged ? null : this.#items(one, head, octets)
    read?.catch(() => {})
    if (head.sequence > one.sequence + 1) {
      await new Promise<void>((resolve) => one.early.set(head.sequence, resolve))
    }
    one.sequence = head.sequence
    const filed = this.#next(importId, async () => {
      const account = await this.#options.store.getAccount(one.account.accountId)
      if (account === null) throw new ImportGone('The account was removed')
      if (isFull(account)) throw new OverQuota(`${account.address} is full`)
      const items = (await read) ?? [await this.#stagedItem(one, head)]
      const accepted = await this.#options.store.accept(items)
      // Unless it is about one message it will pass: the command comes back, and finds out what has been filed.
      const failure = accepted.find((result) => result instanceof Error && !(result instanceof LimitReached))
      if (failure !== undefined) throw failure
      return accepted.map((result, index): FiledMessage => {
        if (result instanceof Error) return { refused: result.message }
        const [{ uid, mailboxId, uidValidity }] = result.filed as [(typeof result.filed)[number]]
        this.#record(one, items[index]!, head.messages[index]!, mailboxId, uid)
        return { uid, mailboxId, uidValidity }
      })
    })
    one.early.get(head.sequence + 1)?.()
    one.early.delete(head.sequence + 1)
    return filed
  }

  async #items(one: Import, head: BatchHead, octets: Buffer): Promise<AcceptItem[]> {
    const items: AcceptItem[] = []
    let from = 0
    let scanned = 0
    for (const message of head.messages) {
      const body = octets.subarray(from, from + message.octets)
      if (body.length < message.octets) throw new RangeError('The batch is shorter than its messages')
      from += message.octets
      const scanner = new MessageScanner()
      scanner.push(body)
      const sink = this.#options.store.openBody()
      await sink.write(body)
      items.push(this.#item(one, head.mailboxId, message, await sink.finish(), scanner.finish()))
      scanned += body.length
      if (scanned < octetsATurn) continue
      scanned = 0
      await nextTurn()
    }
    return items
  }

  async #stagedItem(one: Import, { mailboxId, messages }: BatchHead): Promise<AcceptItem> {
    const { staged } = one
    const [message] = messages
    one.staged = null
    if (staged === null || message === undefined || staged.octets !== message.octets) {
      staged?.sink.abort()
      throw new RangeError('The pieces are not those of the message')
    }
    return this.#item(one, mailboxId, message, await staged.sink.finish(), staged.scanner.finish())
  }

  #item(
    one: Import,
    mailboxId: number,
    message: BatchMessage,
    body: StagedBody,
    scan: MessageScan,
  ): AcceptItem {
    const { clock, random } = this.#options
    const journeyId = one.journeys++ < journeysMax ? timeOrderedId(clock.now(), random) : null
    const filing = {
      accountId: one.account.accountId,
      mailboxId,
      prefix: '',
      flags: message.flags & allFlags,
      keywords: gatherKeywords(message.keywords),
      internalDate: message.internalDate,
      journeyId,
    }
    return { body, scan, filings: [filing], queue: [] }
  }

  #record(one: Import, item: AcceptItem, message: BatchMessage, mailboxId: number, uid: number): void {
    const { journeyId } = item.filings[0]!
    if (journeyId === null) return
    const { account } = one
    const { envelope } = item.scan
    const recorder = new Recorder(this.#options.clock)
    const { place, octets, internalDate } = message
    const mailbox = one.mailboxes.get(mailboxId) ?? 'INBOX'
    const data = { mailbox, uid, place, octets, internalDate }
    recorder.event('filed', 'import', data, { branch: account.address, visibleTo: ['recipient', 'admin'] })
    this.#options.journeys.append({
      journeyId,
      facts: {
        direction: 'local',
        state: 'delivered',
        ...(envelope.messageId === null ? {} : { messageId: envelope.messageId }),
        ...(envelope.subject === null ? {} : { subject: decodeEncodedWords(envelope.subject) }),
        recipients: [account.address],
        accountIds: [account.accountId],
      },
      events: recorder.take(),
    })
  }

  /**
   * Looks for messages among those that a mailbox got since a UID: did a batch whose answer was never heard succeed?
   *
   * @param except UIDs of messages that are known to be others, equal or not.
   * @returns In the order asked for; null for one that is not there.
   */
  find(
    importId: string,
    mailboxId: number,
    sinceUid: number,
    except: readonly number[],
    sought: readonly SoughtMessage[],
  ): Promise<(number | null)[]> {
    return this.#next(importId, async ({ account }) => {
      const others = new Set(except)
      const all = await this.#hashesSince(account.accountId, mailboxId, sinceUid, sought)
      const there = all.filter(({ uid }) => !others.has(uid))
      return sought.map(({ hash, octets, internalDate }) => {
        const found = there.findIndex(
          (one) => one.hash === hash && one.octets === octets && one.internalDate === internalDate,
        )
        // Two that are equal are found as two.
        return found < 0 ? null : there.splice(found, 1)[0]!.uid
      })
    })
  }

  async #hashesSince(
    accountId: number,
    mailboxId: number,
    sinceUid: number,
    sought: readonly SoughtMessage[],
  ): Promise<(SoughtMessage & { readonly uid: number })[]> {
    const { store } = this.#options
    const kinds = new Set(sought.map(({ octets, internalDate }) => `${octets} ${internalDate}`))
    const index = await store.loadIndex(accountId, mailboxId).catch((error: unknown) => {
      if (error instanceof MailboxGone) return null
      throw error
    })
    if (index === null) return []
    const there: (SoughtMessage & { readonly uid: number })[] = []
    try {
      const rows = Array.from({ length: index.length }, (_, row) => ({
        uid: index.uids[row]!,
        octets: index.sizes[row]!,
        internalDate: index.internalDates[row]!,
        emailId: index.emailIds[row]!,
      }))
      for (const { emailId, ...row } of rows) {
        if (row.uid < sinceUid || !kinds.has(`${row.octets} ${row.internalDate}`)) continue
        const [email] = await store.getEmails(accountId, [emailId])
        if (email == null || email.prefix !== '') continue
        const sha = createHash('sha256')
        for (let at = 0; at < email.body.octets; at += octetsATurn) {
          sha.update(await store.readBody(email.body, at, octetsATurn))
        }
        there.push({ ...row, hash: shortHash(sha.digest()) })
      }
    } finally {
      index.release()
    }
    return there
  }

  /** Takes back what an import has filed. @returns How many were still there. */
  remove(importId: string, mailboxId: number, uidValidity: number, uids: readonly number[]): Promise<number> {
    return this.#next(importId, async ({ account }) => {
      const { store } = this.#options
      const mailboxes = await store.listMailboxes(account.accountId)
      const there = mailboxes.some((one) => one.mailboxId === mailboxId && one.uidValidity === uidValidity)
      return there ? (await store.expunge(account.accountId, mailboxId, uids)).length : 0
    })
  }

  /** Removes mailboxes that an import has made, if they are empty and have no children. @returns Those removed. */
  removeMailboxes(importId: string, names: readonly string[]): Promise<string[]> {
    return this.#next(importId, async ({ account }) => {
      const { store } = this.#options
      const removed: string[] = []
      // The longest first: children before their parents.
      for (const name of [...names].sort((a, b) => b.length - a.length)) {
        const mailboxes = await store.listMailboxes(account.accountId)
        const mailbox = mailboxes.find((one) => one.name === name)
        const hasChildren = mailboxes.some((one) => one.name.startsWith(`${name}/`))
        if (mailbox === undefined || mailbox.total > 0 || hasChildren) continue
        await store.deleteMailbox(account.accountId, mailbox.mailboxId)
        await store.setSubscribed(account.accountId, name, false)
        removed.push(name)
      }
      return removed
    })
  }

  /** @throws {ImportGone} */
  #get(importId: string): Import {
    const one = this.#imports.get(importId)
    if (one === undefined) throw new ImportGone('There is no such import')
    return one
  }

  /** Does one thing of an import after the other. @throws {ImportGone} */
  async #next<T>(importId: string, work: (one: Import) => Promise<T>): Promise<T> {
    const one = this.#get(importId)
    this.#imports.delete(importId)
    this.#imports.set(importId, one)
    const result = one.tail.then(() => {
      if (!this.#imports.has(importId)) throw new ImportGone('The import was begun anew')
      return work(one)
    })
    one.tail = result.catch(() => {})
    return result
  }
}

async function createOrFind(store: Store, accountId: number, name: string) {
  try {
    return await store.createMailbox(accountId, name)
  } catch (error) {
    const found = error instanceof MailboxExists ? await store.findMailbox(accountId, name) : null
    if (found === null) throw error
    return found
  }
}

/** Tells the account from one of the same address in another store, or after it was removed and added again. */
export function accountKeyOf(
  account: Account,
  mailboxes: readonly { readonly name: string; readonly uidValidity: number }[],
): string {
  const inbox = mailboxes.find(({ name }) => name === 'INBOX')
  return `${account.accountId}-${inbox?.uidValidity ?? 0}`
}
