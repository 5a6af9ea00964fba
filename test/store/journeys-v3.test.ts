import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { FakeClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { JourneyEvent } from '../../src/journey/event.ts'
import { openJourneys } from '../../src/store/journeys/open.ts'
import { testFolder } from './folder.ts'

const year = 365 * 24 * 60 * 60_000
const at = Date.UTC(2026, 0, 1)
const link = { client: '192.0.2.1:40000', server: '198.51.100.2:25', transaction: 7 }
const viewers = ['recipient', 'admin'] as const

/** As the program before wrote them: twenty letters, the eighth told of again, and an entry without facts. */
const lines = [
  { side: 'S', text: '220 hamburger.example', dtUs: 0 },
  { side: 'C', text: 'EHLO crepes.example', dtUs: 0 },
  { side: 'S', text: '250-hamburger.example', dtUs: 1000 },
  { side: 'S', text: '250 PIPELINING', dtUs: 1000 },
  { side: 'C', text: 'a\nb\0é…', dtUs: 1000 },
]
const eighth = {
  journeyId: 'j7',
  startedAt: at + 8,
  facts: {
    state: 'delivered',
    direction: 'in',
    messageId: '<7@crepes.example>',
    subject: 'Für Bob',
    recipients: ['bob@hamburger.example'],
    reversePath: 'alice@crepes.example',
    links: [link],
    queueIds: [7, 107],
    accountIds: [3],
  },
  events: [
    {
      ...{ at: at + 8, dtUs: 1000, stage: 'filed', kind: 'file', witness: 'observed', visibleTo: viewers },
      ...{ data: { mailbox: 'INBOX', uid: 7 }, branch: 'bob@hamburger.example' },
    },
    {
      ...{ at: at + 8, dtUs: 1000, stage: 'spoken', kind: 'wire', witness: 'observed', visibleTo: viewers },
      data: { ...link, phase: 'transfer', lines },
    },
    {
      ...{ at: at + 16, dtUs: 5, stage: 'queued', kind: 'attempt.end', witness: 'attested' },
      ...{ visibleTo: ['sender', 'admin'], data: { ok: true } },
    },
  ],
}

test('a file of version 3 is read as it is, and goes on', async (t) => {
  const folder = testFolder(t)
  const file = join(folder, 'journey.db')
  writeFileSync(file, zstdDecompressSync(readFileSync(new URL('./journey-v3.db.zst', import.meta.url))))
  const limits = { journeyFactsMs: year, journeyWireMs: year }
  const open = () => openJourneys({ folder, limits, log: silentLog, clock: new FakeClock() })

  const first = await open()
  const all = await first.find({ limit: 100 })
  assert.deepEqual(
    all.map(({ journeyId }) => journeyId),
    ['short', ...Array.from({ length: 20 }, (_, i) => `j${19 - i}`)],
  )
  assert.deepEqual(all.at(-1)!.events.length, 2)
  assert.deepEqual(all[0]!.events[0]!.witness, 'claimed')
  for (const query of [{ queueId: 7 }, { queueId: 107 }, { messageId: '<7@crepes.example>' }, { link }])
    assert.deepEqual(await first.find({ ...query, limit: 9 }), [eighth], JSON.stringify(query))

  const collected: JourneyEvent = {
    ...{ at: at + 20, dtUs: 0, stage: 'collected', kind: 'collect.imap', witness: 'observed' },
    ...{ visibleTo: viewers, data: { uid: 7 } },
  }
  first.append({ journeyId: 'j7', facts: { state: 'collected', queueIds: [207] }, events: [collected] })
  first.append({ journeyId: 'new', facts: { recipients: ['bob@hamburger.example'] }, events: [] })
  const grown = {
    ...eighth,
    facts: { ...eighth.facts, state: 'collected', queueIds: [7, 107, 207] },
    events: [...eighth.events, collected],
  }
  await first.flush()
  assert.deepEqual(await first.find({ queueId: 207, limit: 9 }), [grown])
  await first.close()

  const second = await open()
  t.after(() => second.close())
  assert.deepEqual(await second.find({ queueId: 7, limit: 9 }), [grown])
  const toBob = await second.find({ recipient: 'bob@hamburger.example', limit: 2 })
  assert.deepEqual(
    toBob.map(({ journeyId }) => journeyId),
    ['new', 'j19'],
  )
  const db = new DatabaseSync(file, { readOnly: true })
  assert.equal(db.prepare('PRAGMA user_version').get()?.['user_version'], 4)
  db.close()
})
