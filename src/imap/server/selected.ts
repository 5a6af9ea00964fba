/**
 * One session's view of the mailbox it has selected.
 *
 * The messages themselves are in the MailboxIndex that all sessions share. A session knows of every message up to
 * `#lastUid`; of those, the ones that others have removed since stay in its numbering as ghosts until it may be told
 * (RFC 3501 §7.4.1). So a sequence number is the row in the index, and one for each ghost before it: nothing is
 * kept for each message, and as long as nobody expunges, numbers cost nothing.
 *
 * What holds: between two calls of `announce` no sequence number changes its message.
 */
import { flagBits } from '../../store/store.ts'
import type { Change } from '../../store/changes.ts'
import type { MailboxIndex } from '../../store/mailbox-index.ts'
import type { ImapShared } from './shared.ts'
import { normaliseSequenceSet, type SequenceSet } from '../wire/sequence-set.ts'
import { bad } from '../wire/refusal.ts'
import { lowerBound } from './columns.ts'

/** UIDs from `first` to `last`, both included. */
export interface UidRange {
  first: number
  last: number
}

/** Rows [from, to) of the index; the sequence number of a row is `row + 1 + ghosts`. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly ghosts: number
}

export interface SelectedOptions {
  readonly index: MailboxIndex
  /** UTF-8. */
  readonly mailbox: string
  /** EXAMINE, RFC 3501 §6.3.2. */
  readonly readOnly: boolean
  readonly shared: ImapShared
}

export class Selected {
  readonly index: MailboxIndex
  readonly mailbox: string
  readonly readOnly: boolean
  readonly #shared: ImapShared
  /** The highest UID this session has been told of, whether or not it is there. */
  #lastUid: number
  /** UIDs that are gone from the index and not yet from this session's numbering, ascending. */
  #ghosts: number[] = []
  /** Where each ghost stands in the numbering, counted from 0; null: to be counted anew. */
  #places: number[] | null = null
  /** UIDs that are \Recent in this session, ascending ranges. */
  readonly #recent: UidRange[] = []
  /** Changes of flags up to here have been told. */
  #toldModseq: number
  /** Changes this session made itself and has been answered. */
  #ownModseqs = new Set<number>()
  #toldKeywords: number

  constructor({ index, mailbox, readOnly, shared }: SelectedOptions) {
    this.index = index
    this.mailbox = mailbox
    this.readOnly = readOnly
    this.#shared = shared
    this.#lastUid = 0
    this.#toldModseq = index.highestModseq
    this.#toldKeywords = index.keywordNames.length
    this.#extend()
    // An empty mailbox has been looked into as well: what comes from now on is recent.
    if (!readOnly) shared.claimRecent(index.accountId, index.mailboxId, index.uidNext)
  }

  /** Messages in this session's numbering. */
  get count(): number {
    return this.#knownRows() + this.#ghosts.length
  }

  /** \Recent messages in this session's numbering. */
  get recentCount(): number {
    let count = 0
    for (const { first, last } of this.#recent) {
      const from = lowerBound(this.index.uids, this.index.length, first)
      count += lowerBound(this.index.uids, this.index.length, last + 1) - from
      count += this.#ghosts.filter((uid) => uid >= first && uid <= last).length
    }
    return count
  }

  /** Whether somebody removed a message that this session still counts. */
  get hasGhosts(): boolean {
    return this.#ghosts.length > 0
  }

  isRecent(uid: number): boolean {
    for (let i = this.#recent.length - 1; i >= 0; i--) {
      if (uid >= this.#recent[i]!.first) return uid <= this.#recent[i]!.last
    }
    return false
  }

  /** The sequence number of a message that is in the index and known to this session. */
  sequenceNumber(row: number): number {
    return row + 1 + this.#ghostsBelow(this.index.uids[row]!)
  }

  /** Sequence number of the first message without \Seen; null when all have it. */
  firstUnseen(): number | null {
    const { flags } = this.index
    for (let row = 0, end = this.#knownRows(); row < end; row++) {
      if ((flags[row]! & flagBits['\\Seen']) === 0) return this.sequenceNumber(row)
    }
    return null
  }

  /**
   * The messages a set means, as ascending ranges of UIDs: they stay right whatever happens while a command is at work.
   *
   * @param uid Whether the set names UIDs. Those that do not exist are passed over, RFC 3501 §6.4.8.
   * @throws {Refusal} BAD: a sequence number that is not there, RFC 3501 §9 (seq-number).
   */
  resolve(set: SequenceSet, uid: boolean): UidRange[] {
    const { count } = this
    const places = (this.#places ??= this.#countPlaces())
    if (uid) {
      const ranges = normaliseSequenceSet(set, this.#uidAt(count, places) ?? 0)
      return ranges.filter(({ first }) => first <= this.#lastUid).map(this.#withinKnown)
    }
    const ranges = normaliseSequenceSet(set, count)
    if (ranges.some(({ first, last }) => first < 1 || last > count)) throw bad('No such message')
    return ranges.map(({ first, last }) => ({
      first: this.#uidAt(first, places)!,
      last: this.#uidAt(last, places)!,
    }))
  }

  /**
   * The messages a set of sequence numbers means in SEARCH, where those that are not there match nothing: RFC 3501 §9
   * (seq-number) speaks of COPY, FETCH and STORE, and clients look for `1:*` in empty mailboxes.
   */
  find(set: SequenceSet): UidRange[] {
    const { count } = this
    if (count === 0) return []
    const there = normaliseSequenceSet(set, count).filter(({ first }) => first <= count)
    return this.resolve(
      there.map(({ first, last }) => ({ first, last: Math.min(last, count) })),
      false,
    )
  }

  /** All messages this session knows of. */
  everything(): UidRange[] {
    return this.#lastUid === 0 ? [] : [{ first: 1, last: this.#lastUid }]
  }

  readonly #withinKnown = ({ first, last }: UidRange): UidRange => ({
    first,
    last: Math.min(last, this.#lastUid),
  })

  /** Whether a range names a message that is a ghost by now. */
  namesGhost(ranges: readonly UidRange[]): boolean {
    return ranges.some(({ first, last }) => {
      const ghost = this.#ghosts[lowerBound(this.#ghosts, this.#ghosts.length, first)]
      return ghost !== undefined && ghost <= last
    })
  }

  /** UIDs of the messages in the ranges that are there now, at most `limit`. */
  uidsIn(ranges: readonly UidRange[], limit = Number.POSITIVE_INFINITY): number[] {
    const uids: number[] = []
    const walk = new RangeWalk(this, ranges)
    for (
      let span = walk.next(limit);
      span !== null && uids.length < limit;
      span = walk.next(limit - uids.length)
    ) {
      for (let row = span.from; row < span.to; row++) uids.push(this.index.uids[row]!)
    }
    return uids
  }

  /** The next rows at or above a UID, within a range and without a ghost among them; null when there are none. */
  spanFrom(uid: number, last: number, limit: number): Span | null {
    const { uids, length } = this.index
    const from = lowerBound(uids, length, uid)
    let to = Math.min(lowerBound(uids, length, last + 1), from + limit)
    if (from >= to) return null
    const ghosts = this.#ghostsBelow(uids[from]!)
    const ghost = this.#ghosts[ghosts]
    if (ghost !== undefined && ghost < uids[to - 1]!) to = lowerBound(uids, length, ghost)
    return { from, to, ghosts }
  }

  /** Takes notice of a change; nothing is told yet. @returns Whether there is something to tell. */
  notice(change: Change): boolean {
    if (change.mailboxId !== this.index.mailboxId) return false
    this.#places = null
    if (change.kind === 'expunged') {
      const known = change.uids.filter((uid) => uid <= this.#lastUid)
      if (known.length > 0) this.#ghosts = [...this.#ghosts, ...known].sort((a, b) => a - b)
      return known.length > 0
    }
    return change.kind !== 'mailboxes'
  }

  /**
   * This session changed flags itself and is answered for it.
   *
   * @param before The index's `highestModseq` when it began: where nothing changed, the store gives back an old MODSEQ.
   */
  ownChange(modseq: number, before: number): void {
    if (modseq > before) this.#ownModseqs.add(modseq)
  }

  /** Keywords that were not known to this session before; null when there are none. */
  takeNewKeywords(): readonly string[] | null {
    const { keywordNames } = this.index
    if (keywordNames.length === this.#toldKeywords) return null
    this.#toldKeywords = keywordNames.length
    return keywordNames
  }

  /** UIDs of messages whose flags others have changed since the last call. */
  takeChanged(): number[] {
    const { modseqs, uids, highestModseq } = this.index
    const changed: number[] = []
    if (highestModseq <= this.#toldModseq) return changed
    for (let row = 0, end = this.#knownRows(); row < end; row++) {
      if (modseqs[row]! > this.#toldModseq && !this.#ownModseqs.has(modseqs[row]!)) changed.push(uids[row]!)
    }
    this.#toldModseq = highestModseq
    this.#ownModseqs.clear()
    return changed
  }

  /** Sequence numbers of what is gone, highest first, so that none of them moves another. They are forgotten. */
  takeExpunged(): number[] {
    const ghosts = this.#ghosts
    if (ghosts.length === 0) return ghosts
    const { uids, length } = this.index
    const numbers = ghosts.map((uid, before) => lowerBound(uids, length, uid) + before + 1).reverse()
    this.#ghosts = []
    this.#places = null
    return numbers
  }

  /** Takes in what has arrived. @returns Whether anything has. */
  takeArrivals(): boolean {
    const before = this.#knownRows()
    this.#extend()
    return this.#knownRows() > before
  }

  /** From now on this session knows all that is in the index; the new messages are \Recent to whom hears first. */
  #extend(): void {
    const { accountId, mailboxId } = this.index
    const last = this.index.uidNext - 1
    if (last <= this.#lastUid) return
    const from = Math.max(
      this.#shared.recentFrom(accountId, mailboxId) ?? this.#firstUnknown(),
      this.#lastUid + 1,
    )
    if (from <= last) {
      const previous = this.#recent.at(-1)
      if (previous !== undefined && previous.last === from - 1) previous.last = last
      else this.#recent.push({ first: from, last })
    }
    // RFC 3501 §6.3.2: EXAMINE changes nothing, \Recent included.
    if (!this.readOnly) this.#shared.claimRecent(accountId, mailboxId, last + 1)
    this.#lastUid = last
  }

  /** Where \Recent begins when no session of this process has been here: after the last message that was read. */
  #firstUnknown(): number {
    const { flags, uids, length } = this.index
    for (let row = length - 1; row >= 0; row--)
      if ((flags[row]! & flagBits['\\Seen']) !== 0) return uids[row]! + 1
    return 1
  }

  #knownRows(): number {
    const { uids, length } = this.index
    if (length > 0 && uids[length - 1]! <= this.#lastUid) return length
    return lowerBound(uids, length, this.#lastUid + 1)
  }

  #ghostsBelow(uid: number): number {
    return this.#ghosts.length === 0 ? 0 : lowerBound(this.#ghosts, this.#ghosts.length, uid)
  }

  #countPlaces(): number[] {
    const { uids, length } = this.index
    return this.#ghosts.map((uid, before) => lowerBound(uids, length, uid) + before)
  }

  /** UID of a sequence number, a ghost's too; null when there is no such number. */
  #uidAt(number: number, places: readonly number[]): number | null {
    if (number < 1 || number > this.count) return null
    const before = lowerBound(places, places.length, number - 1)
    return places[before] === number - 1 ? this.#ghosts[before]! : this.index.uids[number - 1 - before]!
  }
}

/** Walks over ranges of UIDs in pieces; between two pieces the index may change. */
export class RangeWalk {
  readonly #selected: Selected
  readonly #ranges: readonly UidRange[]
  #range = 0
  #uid = 0

  constructor(selected: Selected, ranges: readonly UidRange[]) {
    this.#selected = selected
    this.#ranges = ranges
  }

  /** At most so many rows, valid until the event loop turns. Null at the end. */
  next(limit: number): Span | null {
    for (; this.#range < this.#ranges.length; this.#range++) {
      const { first, last } = this.#ranges[this.#range]!
      const span = this.#selected.spanFrom(Math.max(first, this.#uid), last, limit)
      if (span === null) continue
      this.#uid = this.#selected.index.uids[span.to - 1]! + 1
      return span
    }
    return null
  }
}
