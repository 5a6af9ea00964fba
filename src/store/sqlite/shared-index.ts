import type { MailboxIndex } from '../mailbox-index.ts'
import type { AddedDelta, Column, Delta, FlagsDelta } from './delta.ts'

/** Octets of memory for one message. */
const octetsPerRow = 4 + 1 + 4 + 8 + 4 + 8 + 8
const firstCapacity = 64

/** Columns of a row as the tables give them: uid, modseq, flags, keywords, octets, internal date, email. */
export type IndexRow = readonly [number, number, number, number, number, number, number]

/** All rows of an index, to be handed over to another thread. */
export interface IndexColumns {
  readonly length: number
  readonly uids: Uint32Array<ArrayBuffer>
  readonly flags: Uint8Array<ArrayBuffer>
  readonly keywords: Uint32Array<ArrayBuffer>
  readonly modseqs: Float64Array<ArrayBuffer>
  readonly sizes: Uint32Array<ArrayBuffer>
  readonly internalDates: Float64Array<ArrayBuffer>
  readonly emailIds: Float64Array<ArrayBuffer>
}

/** The one index of a mailbox in this process. Only index-cache.ts changes it. */
export class SharedIndex implements Omit<MailboxIndex, 'release'> {
  readonly accountId: number
  readonly mailboxId: number
  uidValidity = 0
  length = 0
  uids = new Uint32Array(firstCapacity)
  flags = new Uint8Array(firstCapacity)
  keywords = new Uint32Array(firstCapacity)
  modseqs = new Float64Array(firstCapacity)
  sizes = new Uint32Array(firstCapacity)
  internalDates = new Float64Array(firstCapacity)
  emailIds = new Float64Array(firstCapacity)
  keywordNames: readonly string[] = []
  uidNext = 1
  highestModseq = 0
  gone = false

  constructor(accountId: number, mailboxId: number) {
    this.accountId = accountId
    this.mailboxId = mailboxId
  }

  get octets(): number {
    return this.uids.length * octetsPerRow
  }

  rowOf(uid: number): number {
    const row = this.rowAtOrAfter(uid)
    return row < this.length && this.uids[row] === uid ? row : -1
  }

  /** First row whose UID is at least this one; `length` when there is none. */
  rowAtOrAfter(uid: number): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.uids[middle]! < uid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Adds a row whose UID is above all others, as it comes from the tables. */
  append(row: IndexRow): void {
    this.reserve(this.length + 1)
    this.#set(this.length++, row)
  }

  reserve(rows: number): void {
    if (rows <= this.uids.length) return
    const capacity = Math.max(rows, Math.ceil(this.uids.length * 1.5))
    this.uids = grown(this.uids, new Uint32Array(capacity))
    this.flags = grown(this.flags, new Uint8Array(capacity))
    this.keywords = grown(this.keywords, new Uint32Array(capacity))
    this.modseqs = grown(this.modseqs, new Float64Array(capacity))
    this.sizes = grown(this.sizes, new Uint32Array(capacity))
    this.internalDates = grown(this.internalDates, new Float64Array(capacity))
    this.emailIds = grown(this.emailIds, new Float64Array(capacity))
  }

  /** The rows as they are; the index must not be used any more. */
  takeColumns(): IndexColumns {
    const { length, uids, flags, keywords, modseqs, sizes, internalDates, emailIds } = this
    return { length, uids, flags, keywords, modseqs, sizes, internalDates, emailIds }
  }

  /** Takes all rows from another. */
  adopt(columns: IndexColumns): void {
    this.length = columns.length
    this.uids = columns.uids
    this.flags = columns.flags
    this.keywords = columns.keywords
    this.modseqs = columns.modseqs
    this.sizes = columns.sizes
    this.internalDates = columns.internalDates
    this.emailIds = columns.emailIds
  }

  /** Applying a delta again, or one whose effect was loaded already, changes nothing. */
  apply(delta: Delta): void {
    if (delta.kind === 'added') this.#add(delta)
    else if (delta.kind === 'flags') this.#flag(delta)
    else if (delta.kind === 'expunged') this.#remove(delta.uids)
    else if (delta.deleted) this.gone = true
    // Making or renaming a mailbox is no change of its messages.
    if (delta.kind !== 'mailboxes') this.highestModseq = Math.max(this.highestModseq, delta.modseq)
  }

  #add(delta: AddedDelta): void {
    for (let i = 0; i < delta.uids.length; i++) {
      const uid = delta.uids[i]!
      this.uidNext = Math.max(this.uidNext, uid + 1)
      const row = this.rowAtOrAfter(uid)
      if (row < this.length && this.uids[row] === uid) continue
      this.#makeRoom(row)
      this.#set(row, [
        uid,
        delta.modseqs[i]!,
        delta.flags[i]!,
        delta.keywords[i]!,
        delta.octets[i]!,
        delta.internalDates[i]!,
        delta.emailIds[i]!,
      ])
    }
    this.#learnNames(delta.keywordNames)
  }

  #flag(delta: FlagsDelta): void {
    let row = -1
    for (let i = 0; i < delta.uids.length; i++) {
      const uid = delta.uids[i]!
      // Usually the next row: then nothing has to be looked for.
      row = this.uids[row + 1] === uid && row + 1 < this.length ? row + 1 : this.rowOf(uid)
      if (row < 0 || this.modseqs[row]! > delta.modseq) continue
      this.flags[row] = delta.flags[i]!
      this.keywords[row] = delta.keywords[i]!
      this.modseqs[row] = delta.modseq
    }
    this.#learnNames(delta.keywordNames)
  }

  /** Closes the gaps. @param uids Ascending. */
  #remove(uids: Column): void {
    if (uids.length === 0) return
    const first = this.rowAtOrAfter(uids[0]!)
    /** Beginning and end of each run of rows that stay, after the first that goes. */
    const runs: number[] = []
    let from = first
    for (let next = 0; next < uids.length; next++) {
      const row = this.uids[from] === uids[next] && from < this.length ? from : this.rowAtOrAfter(uids[next]!)
      if (row >= this.length) break
      if (this.uids[row] !== uids[next]) continue
      if (row > from) runs.push(from, row)
      from = row + 1
    }
    if (from < this.length) runs.push(from, this.length)
    let length = first
    for (const column of this.#columns()) length = closeGaps(column, runs, first)
    this.length = length
  }

  #makeRoom(row: number): void {
    this.reserve(this.length + 1)
    if (row < this.length) {
      for (const column of this.#columns()) column.copyWithin(row + 1, row, this.length)
    }
    this.length++
  }

  #set(row: number, values: IndexRow): void {
    this.uids[row] = values[0]
    this.modseqs[row] = values[1]
    this.flags[row] = values[2]
    this.keywords[row] = values[3]
    this.sizes[row] = values[4]
    this.internalDates[row] = values[5]
    this.emailIds[row] = values[6]
  }

  #columns(): (Uint32Array | Uint8Array | Float64Array)[] {
    return [this.uids, this.flags, this.keywords, this.modseqs, this.sizes, this.internalDates, this.emailIds]
  }

  /** A list only ever grows, so the longer one is the newer one. */
  #learnNames(names: readonly string[] | null): void {
    if (names !== null && names.length > this.keywordNames.length) this.keywordNames = names
  }
}

/** A short run is moved quicker by hand than by a call. @returns Where the last one ends. */
function closeGaps(
  column: Uint32Array | Uint8Array | Float64Array,
  runs: readonly number[],
  first: number,
): number {
  let to = first
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]!
    const end = runs[i + 1]!
    if (end - from > 16) {
      column.copyWithin(to, from, end)
      to += end - from
    } else {
      for (let row = from; row < end; row++) column[to++] = column[row]!
    }
  }
  return to
}

function grown<Column extends Uint32Array | Uint8Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from as never)
  return to
}
