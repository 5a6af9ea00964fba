/**
 * The blocks of the index, each of some thousand messages: those on the disk, and the open one. Nothing in a block says
 * anything about a message in another, so a new message costs the same however many there are. Which messages are in the
 * index is said by the blocks alone: an account's are in as many of them as they came to be in.
 */
import type { Sql } from '../sqlite/database.ts'
import { markEmails } from './mark-emails.ts'
import { OpenBlock } from './open-block.ts'
import { type Piece, PieceReader } from './piece.ts'

const accountFactor = 2 ** 32
/** Pieces of a block have numbers below it. */
const piecesMax = 2 ** 16

export const blockTables = `
  -- messages: row ids, in the order they came, negative when the message has gone. first_keys: of each piece.
  -- Both as 64-bit floating-point numbers in the order of octets of the machine. open: 1 while there is room in it.
  CREATE TABLE IF NOT EXISTS block
    (block INTEGER PRIMARY KEY, open INTEGER NOT NULL, messages BLOB NOT NULL, first_keys BLOB NOT NULL);
  -- id: 2^16 * block + number of the piece. See piece.ts.
  CREATE TABLE IF NOT EXISTS piece (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
`

/** A block with messages that are asked about. */
export interface AskedBlock {
  /** Row ids of those asked about. */
  readonly asked: readonly number[]
  /** Messages in it. */
  readonly size: number
  /** Row ids by place. */
  readonly rows: ArrayLike<number>
  /** Marks the messages, by their places, that have one of the keys, which ascend. */
  find(keys: readonly number[], found: Uint8Array): void
  /** How many pieces have to be read for that. */
  piecesFor(keys: readonly number[]): number
}

export interface Asked {
  readonly blocks: readonly AskedBlock[]
  /** By place in what is asked: 1 when it is in a block. */
  readonly indexed: Uint8Array
}

interface Sealed {
  readonly block: number
  /** Changed in place when messages go. */
  readonly rows: Float64Array
  /** Messages that have not gone. */
  readonly living: number
  /** The lowest and the highest that it was made with. */
  readonly firstEmail: number
  readonly lastEmail: number
  readonly firstKeys: Float64Array
}

export class Blocks {
  readonly #sql: Sql
  readonly #sealed: Sealed[] = []
  readonly #messagesMax: number
  readonly open: OpenBlock
  #openNumber = 1
  #changes = 0

  /** @param messagesMax Of a block. */
  constructor(sql: Sql, messagesMax: number) {
    this.#sql = sql
    this.#messagesMax = messagesMax
    this.open = new OpenBlock(messagesMax)
    const stored = sql.all<readonly [number, number, Uint8Array, Uint8Array]>(
      'SELECT block, open, messages, first_keys FROM block ORDER BY block',
    )
    for (const [block, open, messages, firstKeys] of stored) {
      const rows = numbersOf(messages)
      const sealed = sealedOf(block, rows, numbersOf(firstKeys))
      if (open === 0) this.#sealed.push(sealed)
      else this.open.load(rows, this.#piecesOf(sealed))
      this.#openNumber = open === 0 ? block + 1 : block
    }
  }

  /** Messages that have not gone. */
  get messages(): number {
    return this.#sealed.reduce((sum, { living }) => sum + living, livingAmong(this.open.rows))
  }

  /** Another number than before: what was `asked` holds no more. */
  get changes(): number {
    return this.#changes
  }

  /**
   * Writes the open block, within a transaction.
   *
   * @param open There is room in it.
   * @returns Takes note of it; to be called after the commit.
   */
  write(open: boolean): () => void {
    const sealed = this.#write(this.#openNumber, open, this.open)
    return () => {
      if (open) return
      this.#sealed.push(sealed)
      this.#openNumber++
      this.open.clear()
      this.#changes++
    }
  }

  /** @param base Row id of the account's email 0. @param emails Of the account, ascending. */
  asked(base: number, emails: Float64Array): Asked {
    const indexed = new Uint8Array(emails.length)
    const blocks: AskedBlock[] = []
    const first = emails[0] ?? 0
    const last = emails.at(-1) ?? 0
    for (const sealed of this.#sealed) {
      if (sealed.firstEmail > last || sealed.lastEmail < first) continue
      const asked = askedAmong(sealed.rows, base, emails, indexed)
      if (asked.length > 0) blocks.push(this.#asked(sealed, asked))
    }
    const { open } = this
    const asked = askedAmong(open.rows, base, emails, indexed)
    if (asked.length > 0)
      blocks.push({
        ...{ asked, size: open.rows.length, rows: open.rows, piecesFor: () => 0 },
        find: (keys, found) => open.find(keys, found),
      })
    return { blocks, indexed }
  }

  /**
   * Forgets messages of one block that have gone, in a transaction: of a block with few left, all that was said of them.
   *
   * @param after The number of a block: the next one after it.
   * @returns The block's number; null after the last block.
   */
  forget(after: number, isThere: (email: number) => boolean): number | null {
    const at = this.#sealed.findIndex(({ block }) => block > after)
    if (at < 0) {
      markGone(this.open.rows, isThere)
      return null
    }
    const sealed = this.#sealed[at]!
    const { block, rows } = sealed
    if (!markGone(rows, isThere)) return block
    const living = livingAmong(rows)
    if (living * 2 <= rows.length) this.#compact(at, living)
    else {
      this.#sql.run('UPDATE block SET messages = ? WHERE block = ?', octetsOf(rows), block)
      this.#sealed[at] = { ...sealed, living }
    }
    this.#changes++
    return block
  }

  /** Writes a block anew, with the one before it when both together are none too many. */
  #compact(at: number, living: number): void {
    const sealed = this.#sealed[at]!
    const neighbour = this.#sealed[at - 1]
    const before =
      neighbour !== undefined && neighbour.living + living <= this.#messagesMax ? neighbour : null
    const together = new OpenBlock(this.#messagesMax)
    if (before !== null) together.load(before.rows, this.#piecesOf(before))
    together.load(sealed.rows, this.#piecesOf(sealed))
    this.#delete(sealed.block)
    if (together.rows.length === 0) {
      if (before !== null) this.#delete(before.block)
      this.#sealed.splice(before === null ? at : at - 1, before === null ? 1 : 2)
      return
    }
    const written = this.#write((before ?? sealed).block, false, together)
    if (before === null) this.#sealed[at] = written
    else this.#sealed.splice(at - 1, 2, written)
  }

  #write(block: number, open: boolean, from: OpenBlock): Sealed {
    this.#delete(block)
    const firstKeys: number[] = []
    for (const { firstKey, data } of from.pieces()) {
      this.#sql.run('INSERT INTO piece VALUES (?, ?)', block * piecesMax + firstKeys.length, data)
      firstKeys.push(firstKey)
    }
    const sealed = sealedOf(block, Float64Array.from(from.rows), Float64Array.from(firstKeys))
    const values = [block, open ? 1 : 0, octetsOf(sealed.rows), octetsOf(sealed.firstKeys)] as const
    this.#sql.run('INSERT INTO block VALUES (?, ?, ?, ?)', ...values)
    return sealed
  }

  #delete(block: number): void {
    this.#sql.run('DELETE FROM block WHERE block = ?', block)
    const first = block * piecesMax
    this.#sql.run('DELETE FROM piece WHERE id BETWEEN ? AND ?', first, first + piecesMax - 1)
  }

  #asked(sealed: Sealed, asked: readonly number[]): AskedBlock {
    return {
      ...{ asked, size: sealed.rows.length, rows: sealed.rows },
      find: (keys, found) => this.#find(sealed, keys, found),
      piecesFor(keys) {
        let pieces = 0
        let last = -1
        for (const key of keys) {
          const place = lastUpTo(sealed.firstKeys, key)
          if (place > last) pieces++
          last = place
        }
        return pieces
      },
    }
  }

  #find(sealed: Sealed, keys: readonly number[], found: Uint8Array): void {
    const take = (message: number) => void (found[message] = 1)
    for (let i = 0; i < keys.length; ) {
      const place = lastUpTo(sealed.firstKeys, keys[i]!)
      const beyond = sealed.firstKeys[place + 1] ?? Number.POSITIVE_INFINITY
      const begin = i
      while (i < keys.length && keys[i]! < beyond) i++
      if (place < 0) continue
      const reader = new PieceReader(this.#pieceOf(sealed, place))
      let wanted = begin
      for (let key = reader.next(); key !== null && wanted < i; ) {
        if (keys[wanted]! < key) wanted++
        else {
          if (keys[wanted] === key) reader.messages(take)
          key = reader.next()
        }
      }
    }
  }

  *#piecesOf(sealed: Sealed): Generator<Piece, void> {
    for (let place = 0; place < sealed.firstKeys.length; place++) yield this.#pieceOf(sealed, place)
  }

  #pieceOf(sealed: Sealed, place: number): Piece {
    const id = sealed.block * piecesMax + place
    const row = this.#sql.get<readonly [Uint8Array]>('SELECT data FROM piece WHERE id = ?', id)
    if (row === undefined) throw new Error('the index is malformed: a piece is missing')
    return { firstKey: sealed.firstKeys[place]!, data: row[0] }
  }
}

/** Accounts that have messages in blocks, as the table has them. */
export function accountsOf(sql: Sql): Set<number> {
  const accounts = new Set<number>()
  for (const [messages] of sql.all<readonly [Uint8Array]>('SELECT messages FROM block'))
    for (const row of numbersOf(messages)) if (row > 0) accounts.add(Math.floor(row / accountFactor))
  return accounts
}

/** @returns Rows that are of these emails, which are marked. */
function askedAmong(
  rows: ArrayLike<number>,
  base: number,
  emails: Float64Array,
  indexed: Uint8Array,
): readonly number[] {
  const first = base + (emails[0] ?? 0)
  const last = base + (emails.at(-1) ?? -1)
  const asked: number[] = []
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row >= first && row <= last) asked.push(row)
  }
  return asked.length === 0 ? asked : markEmails(emails, indexed, asked, base, 1)
}

/** @returns Whether some have gone that had not before. */
function markGone(rows: number[] | Float64Array, isThere: (email: number) => boolean): boolean {
  let some = false
  for (const [place, row] of rows.entries()) {
    if (row < 0 || isThere(emailOf(row))) continue
    rows[place] = -row
    some = true
  }
  return some
}

function livingAmong(rows: ArrayLike<number>): number {
  let living = 0
  for (let i = 0; i < rows.length; i++) if (rows[i]! > 0) living++
  return living
}

function sealedOf(block: number, rows: Float64Array, firstKeys: Float64Array): Sealed {
  let firstEmail = Number.POSITIVE_INFINITY
  let lastEmail = 0
  for (const row of rows) {
    const email = emailOf(row)
    if (email < firstEmail) firstEmail = email
    if (email > lastEmail) lastEmail = email
  }
  return { block, rows, living: livingAmong(rows), firstEmail, lastEmail, firstKeys }
}

function emailOf(row: number): number {
  return Math.abs(row) % accountFactor
}

/** Place of the last number that is at most this one; -1 when there is none. */
function lastUpTo(sorted: Float64Array, wanted: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}

function octetsOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

function numbersOf(octets: Uint8Array): Float64Array {
  return new Float64Array(octets.slice().buffer)
}
