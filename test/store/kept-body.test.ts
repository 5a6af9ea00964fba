/** What comes to the queue with its accept is in memory still; a few megabytes of that are kept, and no more. */
import assert from 'node:assert/strict'
import { readdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BodyUnreadable } from '../../src/store/errors.ts'
import type { QueueEntry } from '../../src/store/queue.ts'
import { testFolder } from './folder.ts'
import { openAt } from './kept-store.ts'
import { acceptOne, itemOf, letter, queueEntry } from './letters.ts'

test('a letter that goes out at once is not read from the disk, unless too many have come since', async (t) => {
  const folder = testFolder(t)
  const store = await openAt(folder)
  t.after(() => store.close())
  const taken: QueueEntry[] = []
  const taker = {
    reserve: () => ({ nowMs: 2_000, leaseMs: 60_000 }),
    take: (_rows: number, entries: readonly QueueEntry[]) => void taken.push(...entries),
  }
  const end = store.handOut(taker)
  const text = letter('long', `X-Long: ${'x'.repeat(200_000)}\r\n`)
  const queue = async () => acceptOne(store, await itemOf(store, text, [], [queueEntry(0)]))
  await queue()
  end()
  await queue()
  const [, other] = await store.listQueue(10)
  store.handOut(taker)
  const segments = join(folder, 'shard-00/seg')
  for (const name of readdirSync(segments)) truncateSync(join(segments, name), 0)

  const read = async (entry: QueueEntry) =>
    Buffer.from(await store.readBody(entry.body, 0, 1e6)).toString('latin1')
  assert.equal(await read(taken[0]!), text)
  await assert.rejects(read(other!), BodyUnreadable)
  for (let n = 0; n < 4 * 1024 * 1024; n += text.length) await queue()
  assert.equal(await read(taken.at(-1)!), text)
  await assert.rejects(read(taken[0]!), BodyUnreadable)
})
