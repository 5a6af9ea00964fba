/** Blocks: what was put in is found, sealed or not, and when others have been forgotten. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { Sql } from '../sqlite/database.ts'
import { Blocks, blockTables } from './blocks.ts'
import { firstGramKey, keyOfGram, keyOfWord } from './keys.ts'
import { OpenBlock } from './open-block.ts'
import { type Piece, PieceReader, PieceWriter } from './piece.ts'

test('Pieces give back the keys and messages that were written', () => {
  const messages = fc.uniqueArray(fc.nat(60_000), { minLength: 1, maxLength: 300 })
  const key = fc.oneof(fc.nat(200_000), fc.integer({ min: firstGramKey, max: 2 ** 53 - 1 }))
  const lists = fc.uniqueArray(fc.tuple(key, messages), { selector: ([one]) => one, maxLength: 100 })
  fc.assert(
    fc.property(lists, (given) => {
      const sorted = given
        .map(([one, list]) => [one, list.toSorted((a, b) => a - b)] as const)
        .toSorted(([a], [b]) => a - b)
      const writer = new PieceWriter()
      const pieces: (Piece | null)[] = sorted.map(([one, list]) =>
        writer.add(one, Uint16Array.of(7, ...list), 1, list.length + 1),
      )
      pieces.push(writer.finish())
      const read: [number, number[]][] = []
      for (const piece of pieces.filter((one) => one !== null)) {
        const reader = new PieceReader(piece)
        for (let one = reader.next(); one !== null; one = reader.next()) {
          const list: number[] = []
          // Some are passed over.
          if (read.length % 5 !== 4) reader.messages((message) => list.push(message))
          read.push([one, list])
        }
      }
      const expected = sorted.map(([one, list], i) => [one, i % 5 === 4 ? [] : list])
      assert.deepEqual(read, expected)
    }),
  )
})

test('A damaged piece is read to an end, or said to be one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (data) => {
      const reader = new PieceReader({ firstKey: 0, data })
      try {
        while (reader.next() !== null) reader.messages(() => {})
      } catch (error) {
        assert.match(String(error), /malformed/)
      }
    }),
  )
  const torn = new PieceReader({ firstKey: 0, data: Uint8Array.of(1, 3, 200) })
  assert.equal(torn.next(), 1)
  assert.throws(() => torn.messages(() => {}), /malformed/)
})

test('A block is full when it holds too many different characters and pairs of them', () => {
  const block = new OpenBlock(2_048)
  block.begin(1)
  for (let key = 0; key < 499_999; key++) block.addGram(firstGramKey + key)
  assert.equal(block.full, false)
  block.addGram(firstGramKey + 499_999)
  assert.equal(block.full, true)
})

const account = 3
const rowOf = (email: number) => account * 2 ** 32 + email

/** Of each kind, and with each some in common; an email has a key of its own too. */
const keysOf = (email: number): readonly number[] => [
  keyOfWord(email % 7),
  keyOfWord(1_000 + email),
  keyOfGram(98, 0x4e00 + (email % 5), null),
  keyOfGram(98, 0x4e00, email),
]

function put(blocks: Blocks, sql: Sql, emails: Iterable<number>): void {
  for (const email of emails) {
    blocks.open.begin(rowOf(email))
    blocks.open.addWord(email % 7)
    blocks.open.addWord(1_000 + email)
    blocks.open.addGram(keyOfGram(98, 0x4e00 + (email % 5), null))
    blocks.open.addGram(keyOfGram(98, 0x4e00, email))
    if (blocks.open.full) write(blocks, sql, false)
  }
}

function write(blocks: Blocks, sql: Sql, open: boolean): void {
  sql.exec('BEGIN')
  const written = blocks.write(open)
  sql.exec('COMMIT')
  written()
}

function find(blocks: Blocks, emails: readonly number[], key: number): number[] {
  const found: number[] = []
  const { blocks: asked, indexed } = blocks.asked(rowOf(0), Float64Array.from(emails))
  assert.ok(!indexed.includes(0))
  for (const block of asked) {
    const places = new Uint8Array(block.size)
    block.find([key], places)
    for (const [place, mark] of places.entries())
      if (mark === 1 && block.asked.includes(block.rows[place]!)) found.push(block.rows[place]! % 2 ** 32)
  }
  return found
}

test('Every key is found in sealed blocks and the open one, after it was opened again, and after messages have gone', () => {
  const sql = new Sql(new DatabaseSync(':memory:'))
  sql.exec(blockTables)
  let blocks = new Blocks(sql, 10)
  // Numbers of emails have gaps.
  let emails = Array.from({ length: 95 }, (_, i) => 3 * i + 1)
  put(blocks, sql, emails)
  const check = (): void => {
    assert.equal(blocks.messages, emails.length)
    for (const key of new Set(emails.flatMap(keysOf))) {
      const expected = emails.filter((email) => keysOf(email).includes(key))
      assert.deepEqual(find(blocks, emails, key), expected, String(key))
    }
  }
  const forget = (which: (email: number) => boolean): void => {
    emails = emails.filter((email) => !which(email))
    const isThere = (email: number) => emails.includes(email)
    for (let block: number | null = 0; block !== null; ) block = blocks.forget(block, isThere)
    check()
  }
  const count = () => sql.get<readonly [number]>('SELECT count(*) FROM block')![0]
  const reopen = (): void => {
    write(blocks, sql, true)
    blocks = new Blocks(sql, 10)
    check()
  }
  check()
  reopen()
  // It goes on where it was.
  const more = Array.from({ length: 20 }, (_, i) => 400 + i)
  put(blocks, sql, more)
  emails.push(...more)
  check()
  assert.equal(count(), 11)
  forget((email) => email % 5 === 0)
  reopen()
  const before = count()
  // Blocks with few left become one with their neighbours; those with none left are deleted.
  forget((email) => email < 200 && email % 4 !== 0)
  assert.ok(count() < before, `${count()} blocks of ${before}`)
  reopen()
  forget((email) => email < 150)
  reopen()
  forget(() => true)
  const { blocks: left, indexed } = blocks.asked(rowOf(0), Float64Array.of(1, 400))
  assert.deepEqual([left.length, ...indexed], [0, 0, 0])
  write(blocks, sql, true)
  assert.equal(count(), 1)
})

test('Which messages of an account are in blocks is known however they came', () => {
  const email = fc.integer({ min: 1, max: 60 })
  const batch = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.uniqueArray(email, { maxLength: 12 }))
  fc.assert(
    fc.property(fc.array(batch), fc.array(email), fc.integer({ min: 1, max: 3 }), (batches, some, asker) => {
      const sql = new Sql(new DatabaseSync(':memory:'))
      sql.exec(blockTables)
      const blocks = new Blocks(sql, 5)
      const put = new Set<number>()
      for (const [of, emails] of batches)
        for (const one of emails.map((number) => of * 2 ** 32 + number)) {
          if (put.has(one)) continue
          put.add(one)
          blocks.open.begin(one)
          if (blocks.open.full) write(blocks, sql, false)
        }
      // Some twice.
      const asked = Float64Array.from(some).sort()
      const base = asker * 2 ** 32
      write(blocks, sql, true)
      for (const now of [blocks, new Blocks(sql, 5)]) {
        const { blocks: found, indexed } = now.asked(base, asked)
        assert.deepEqual(
          [...indexed],
          Array.from(asked, (one) => (put.has(base + one) ? 1 : 0)),
        )
        const rows = found.flatMap((block) => [...block.asked]).sort((a, b) => a - b)
        assert.deepEqual(
          rows,
          [...new Set(asked)].map((one) => base + one).filter((row) => put.has(row)),
        )
      }
      sql.close()
    }),
  )
})
