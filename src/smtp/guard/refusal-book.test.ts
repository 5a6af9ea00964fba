import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { JourneyEntry } from '../../journey/event.ts'
import { RefusalBook } from './refusal-book.ts'

function setUp() {
  const clock = new FakeClock()
  const entries: JourneyEntry[] = []
  const book = new RefusalBook({
    journeys: { append: (entry) => void entries.push(entry) },
    clock,
    random: seededRandom(3),
    limits: { refusalsPerAddress: 3, addressesRemembered: 100 },
  })
  return { clock, entries, book }
}

test('ten thousand refusals are one row with a count, written every few seconds', () => {
  const { clock, entries, book } = setUp()
  for (let i = 0; i < 10_000; i++) {
    book.count({ remoteAddress: '192.0.2.1', stage: 'connect', reason: 'banned' })
    if (i % 1_000 === 0) clock.advance(1_000)
  }
  clock.advance(5_000)
  assert.equal(new Set(entries.map(({ journeyId }) => journeyId)).size, 1)
  assert.ok(entries.length <= 4, `${entries.length} entries`)
  assert.equal(entries.flatMap(({ events }) => events).length, 1)
  assert.deepEqual(entries.at(-1)?.facts, {
    ...{ direction: 'in', state: 'refused', remoteAddress: '192.0.2.1', count: 10_000 },
  })
})

test('other addresses, other reasons and another hour have rows of their own', () => {
  const { clock, entries, book } = setUp()
  const refusal = { remoteAddress: '192.0.2.1', stage: 'connect', reason: 'banned' }
  book.count(refusal)
  book.count({ ...refusal, remoteAddress: '192.0.2.2' })
  book.count({ ...refusal, reason: 'too many' })
  clock.advance(3_700_000)
  book.count(refusal)
  book.flush()
  assert.equal(new Set(entries.map(({ journeyId }) => journeyId)).size, 4)
})

test('an address has a few journeys of its own, then it is counted', () => {
  const { clock, book } = setUp()
  const taken = (): boolean => book.takes('192.0.2.1')
  assert.deepEqual([taken(), taken(), taken(), taken()], [true, true, true, false])
  assert.equal(book.takes('192.0.2.2'), true)
  clock.advance(600_000)
  assert.equal(taken(), true)
})
