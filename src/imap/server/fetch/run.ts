/**
 * Carries out a FETCH: walks over the messages in pieces, gives way between them, and never has more waiting for the
 * client than it takes. What is only in the index goes straight from its columns into octets; envelopes come in
 * pages; bodies pass through in pieces.
 */
import type { Email } from '../../../store/store.ts'
import type { CommandContext, Session } from '../session.ts'
import { charsOf, PageSize } from '../page-size.ts'
import { RangeWalk, type Selected, type UidRange } from '../selected.ts'
import { OctetWriter } from './octet-writer.ts'
import type { FetchPlan } from './plan.ts'
import { writeItems } from './line.ts'
import { prepareMessage, sendMessage } from './message.ts'
import { markSeen } from './seen.ts'

/** Rows between two looks at the clock of others: about a millisecond. */
const rowsPerTurn = 2_000
/** Emails of one call of the store. */
const pageRows = 100
/** Where bodies are read, pages are smaller: \Seen is committed page by page, before its messages are sent. */
const bodyPageRows = 48
/** Chars of envelopes and structures that are written before others have their turn. */
const charsPerTurn = 131_072
/** Messages that are read at the same time; each may hold one piece of its body in memory. */
const readAhead = 8

/** A message of a page: where it was, and what the store knows of it. */
export interface PageEntry {
  readonly uid: number
  readonly email: Email
}

export interface FetchOutcome {
  /** Messages that had gone by the time their turn came. */
  missing: number
  /** Messages whose body could not be read. */
  unreadable: number
}

export class FetchRun {
  readonly session: Session
  readonly selected: Selected
  readonly plan: FetchPlan
  readonly context: CommandContext
  readonly writer = new OctetWriter()
  readonly outcome: FetchOutcome = { missing: 0, unreadable: 0 }
  /** Messages that the store did not give with the others of their page. */
  #left: { readonly uids: number[]; readonly emailIds: number[] } = { uids: [], emailIds: [] }

  constructor(session: Session, plan: FetchPlan, context: CommandContext) {
    this.session = session
    this.selected = session.view
    this.plan = plan
    this.context = context
  }

  async run(ranges: readonly UidRange[]): Promise<FetchOutcome> {
    const walk = new RangeWalk(this.selected, ranges)
    if (this.plan.needsEmails) await this.#fetchEmails(walk)
    else await this.#fetchColumns(walk)
    this.#flush()
    return this.outcome
  }

  /** Hands over what was written; then it is others' turn, and the client's to take it. */
  async pass(): Promise<void> {
    this.#flush()
    await this.session.dialogue.breathe()
  }

  #flush(): void {
    for (const piece of this.writer.take()) this.session.dialogue.write(piece)
  }

  async #fetchColumns(walk: RangeWalk): Promise<void> {
    const { writer, selected, plan } = this
    let rows = 0
    for (let span = walk.next(rowsPerTurn); span !== null; span = walk.next(rowsPerTurn - rows)) {
      for (let row = span.from; row < span.to; row++) {
        // No turn of the loop between two rows of a span, so they stay where they are.
        writeItems(writer, selected, row, span.ghosts, plan.items, null)
        writer.short(')\r\n')
        if (!writer.fits) this.#flush()
      }
      rows += span.to - span.from
      if (rows < rowsPerTurn) continue
      rows = 0
      await this.pass()
      if (this.session.dialogue.closed) return
    }
  }

  async #fetchEmails(walk: RangeWalk): Promise<void> {
    const size = new PageSize(this.plan.sections.length > 0 ? bodyPageRows : pageRows)
    for (;;) {
      const page = await this.#nextPage(walk, size)
      if (page.length === 0 || this.session.dialogue.closed) return
      if (this.plan.sections.length > 0) await this.#sendPage(page)
      else await this.#writePage(page)
      await this.pass()
    }
  }

  async #writePage(page: readonly PageEntry[]): Promise<void> {
    let chars = 0
    for (const entry of page) {
      this.#writeOne(entry)
      chars += charsOf(entry.email)
      if (chars < charsPerTurn) continue
      chars = 0
      await this.pass()
      if (this.session.dialogue.closed) return
    }
  }

  /** Messages of which sections are sent: read a few at a time, written one after another. */
  async #sendPage(page: readonly PageEntry[]): Promise<void> {
    const seen = this.plan.marksSeen ? await markSeen(this.session, page) : null
    for (let at = 0; at < page.length; at += readAhead) {
      const some = page.slice(at, at + readAhead)
      const prepared = await Promise.all(some.map(({ email }) => prepareMessage(this, email)))
      for (const [i, entry] of some.entries()) {
        await sendMessage(this, entry, prepared[i]!, seen?.has(entry.uid) ?? false)
        if (this.session.dialogue.closed) return
      }
      await this.pass()
    }
  }

  #writeOne({ uid, email }: PageEntry): void {
    const { selected, writer, plan } = this
    const row = selected.index.rowOf(uid)
    if (row < 0) {
      this.outcome.missing++
      return
    }
    writeItems(writer, selected, row, selected.sequenceNumber(row) - row - 1, plan.items, email)
    writer.short(')\r\n')
    if (!writer.fits) this.#flush()
  }

  /** The next messages with what the store knows of them; empty at the end. */
  async #nextPage(walk: RangeWalk, size: PageSize): Promise<PageEntry[]> {
    const limit = size.rows
    const { index } = this.selected
    const page: PageEntry[] = []
    // A page all of whose messages have gone is no end yet.
    while (page.length === 0) {
      const { uids, emailIds } = this.#left
      while (uids.length < limit) {
        const span = walk.next(limit - uids.length)
        if (span === null) break
        for (let row = span.from; row < span.to; row++) {
          uids.push(index.uids[row]!)
          emailIds.push(index.emailIds[row]!)
        }
      }
      if (uids.length === 0) return page
      const emails = await this.session.options.store.getEmails(index.accountId, emailIds)
      size.learn(emails)
      this.#left = { uids: uids.slice(emails.length), emailIds: emailIds.slice(emails.length) }
      for (const [i, email] of emails.entries()) {
        if (email === null) this.outcome.missing++
        else page.push({ uid: uids[i]!, email })
      }
    }
    return page
  }
}
