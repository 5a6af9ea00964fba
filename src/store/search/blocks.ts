/** The blocks of opaque words: those on the disk, and the open one. See open-block.ts. */
import type { Sql } from '../sqlite/database.ts'
import { findTrigrams, OpenBlock, type OpaqueScope, pieceOf, piecesMax } from './open-block.ts'
import { trigramAt, trigramsOfPair } from './trigrams.ts'

/** Trigrams of a text that are looked for; reading the message says the rest. */
const trigramsLookedFor = 3
const accountFactor = 2 ** 32

export const blockTables = `
  -- Opaque words in blocks of messages. messages: row ids as 64-bit floating-point numbers, in the order of their emails.
  CREATE TABLE IF NOT EXISTS block (block INTEGER PRIMARY KEY, messages BLOB NOT NULL);
  -- id: number of pieces in a block * block + piece.
  CREATE TABLE IF NOT EXISTS block_piece (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
  -- The open block when the file was closed last, with the emails up to this one.
  CREATE TABLE IF NOT EXISTS open_block
    (block INTEGER PRIMARY KEY, email INTEGER NOT NULL, rows BLOB NOT NULL, codes BLOB NOT NULL, messages BLOB NOT NULL);
`

export interface OpaqueBlock {
  /** Row ids of messages with all of the trigrams in one scope that are looked at. @param text Two chars at least. */
  holding(scope: OpaqueScope, text: string): number[]
}

interface Sealed {
  readonly block: number
  readonly firstEmail: number
  readonly lastEmail: number
}

export class Blocks {
  readonly #sql: Sql
  readonly #sealed: Sealed[]
  readonly #messagesMax: number
  open: OpenBlock

  /** @param messagesMax Of a block. */
  constructor(sql: Sql, messagesMax: number) {
    this.#sql = sql
    this.#messagesMax = messagesMax
    this.open = new OpenBlock(messagesMax)
    this.#sealed = sql
      .all<readonly [number, Uint8Array]>('SELECT block, messages FROM block ORDER BY block')
      .map(([block, messages]) => sealedOf(block, unpackRows(messages)))
  }

  /** All emails up to this one are in blocks. @param highWater Of the whole index. */
  load(highWater: number): number {
    const [email, rows, codes, messages] =
      this.#sql.get<readonly [number, Uint8Array, Uint8Array, Uint8Array]>(
        'SELECT email, rows, codes, messages FROM open_block WHERE block = ?',
        this.#nextBlock,
      ) ?? []
    if (email === undefined || email > highWater) return this.#sealed.at(-1)?.lastEmail ?? 0
    this.open.load({ rows: rows!, codes: codes!, messages: messages! })
    return email
  }

  /** Writes the open block as it is, within a transaction. @param email All up to this one are in blocks. */
  save(email: number): void {
    const { rows, codes, messages } = this.open.save()
    this.#sql.run('DELETE FROM open_block')
    this.#sql.run(
      'INSERT INTO open_block VALUES (?, ?, ?, ?, ?)',
      this.#nextBlock,
      email,
      rows,
      codes,
      messages,
    )
  }

  get count(): number {
    return this.#sealed.length
  }

  /** Writes the open block, within a transaction. @returns Takes note of it; to be called after the commit. */
  seal(): () => void {
    const { open } = this
    const block = this.#nextBlock
    const rows = Float64Array.from(open.rows)
    this.#sql.run('INSERT INTO block VALUES (?, ?)', block, new Uint8Array(rows.buffer))
    for (const { piece, data } of open.pieces())
      this.#sql.run('INSERT INTO block_piece VALUES (?, ?)', block * piecesMax + piece, data)
    return () => {
      this.#sealed.push(sealedOf(block, rows))
      this.open = new OpenBlock(this.#messagesMax)
    }
  }

  /** Blocks that have some of these emails, which ascend. */
  *of(emails: Float64Array): Generator<OpaqueBlock, void> {
    let at = 0
    for (const sealed of this.#sealed) {
      while (at < emails.length && emails[at]! < sealed.firstEmail) at++
      if (at === emails.length) return
      if (emails[at]! <= sealed.lastEmail)
        yield { holding: (scope, text) => this.#holding(sealed.block, scope, text) }
    }
    const { open } = this
    yield {
      holding: (scope, text) =>
        inAll(trigramsOf(text), open.rows, (...of) => open.withTrigrams(scope, ...of)),
    }
  }

  get #nextBlock(): number {
    return (this.#sealed.at(-1)?.block ?? 0) + 1
  }

  #holding(block: number, scope: OpaqueScope, text: string): number[] {
    const row = (): Float64Array =>
      unpackRows(
        this.#sql.get<readonly [Uint8Array]>('SELECT messages FROM block WHERE block = ?', block)![0],
      )
    return inAll(trigramsOf(text), row, (first, end) => {
      const id = block * piecesMax + pieceOf(scope, first)
      const found = this.#sql.get<readonly [Uint8Array]>('SELECT data FROM block_piece WHERE id = ?', id)
      return found === undefined ? new Set() : findTrigrams(found[0], first, end)
    })
  }
}

/** Ranges of trigrams; a message that holds the text has one of each. */
function trigramsOf(text: string): (readonly [number, number])[] {
  if (text.length === 2) return [trigramsOfPair(text)]
  const last = text.length - 3
  const places = new Set(
    Array.from({ length: trigramsLookedFor }, (_, i) => Math.round((i * last) / (trigramsLookedFor - 1))),
  )
  return [...places].map((at) => {
    const trigram = trigramAt(text, at)
    return [trigram, trigram + 1]
  })
}

function inAll(
  ranges: readonly (readonly [number, number])[],
  rows: ArrayLike<number> | (() => ArrayLike<number>),
  find: (first: number, end: number) => Set<number>,
): number[] {
  let found: Set<number> | null = null
  for (const [first, end] of ranges) {
    const some = find(first, end)
    found = found === null ? some : found.intersection(some)
    // One that is left is sooner read.
    if (found.size <= 1) break
  }
  const all = typeof rows === 'function' ? rows() : rows
  return [...found!].map((message) => all[message]!)
}

function sealedOf(block: number, rows: Float64Array): Sealed {
  return { block, firstEmail: rows[0]! % accountFactor, lastEmail: rows.at(-1)! % accountFactor }
}

function unpackRows(messages: Uint8Array): Float64Array {
  return new Float64Array(messages.slice().buffer)
}
