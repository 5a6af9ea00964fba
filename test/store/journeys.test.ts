import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { FakeClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { JourneyEvent, Kind } from '../../src/journey/event.ts'
import { type JourneyOptions, openJourneys } from '../../src/store/journeys/open.ts'
import { testFolder } from './folder.ts'

const day = 24 * 60 * 60_000
const link = { client: '192.0.2.1:40000', server: '198.51.100.2:25', transaction: 0 }

function event(at: number, kind: Kind, data = {}): JourneyEvent {
  return { at, dtUs: 0, stage: 'spoken', kind, witness: 'observed', visibleTo: ['admin'], data }
}

async function open(t: TestContext, options: Partial<JourneyOptions> = {}) {
  const clock = new FakeClock()
  const folder = options.folder ?? testFolder(t)
  const limits = { journeyFactsMs: 90 * day, journeyWireMs: 14 * day }
  const warnings: string[] = []
  const log = { ...silentLog, warn: (text: string) => void warnings.push(text) }
  const journeys = await openJourneys({ limits, log, clock, ...options, folder })
  t.after(() => journeys.close())
  return { journeys, clock, folder, warnings }
}

test('what was appended is found at once by each of its facts', async (t) => {
  const { journeys, clock } = await open(t)
  const at = clock.now()
  const facts = {
    messageId: '<a@b.example>',
    recipients: ['bob@hamburger.example'],
    reversePath: 'alice@crepes.example',
    links: [link],
    queueIds: [7],
    accountIds: [3],
  }
  journeys.append({ journeyId: 'one', facts, events: [event(at, 'submit', { size: 3 })] })
  journeys.append({ journeyId: 'two', facts: { messageId: '<c@d.example>' }, events: [] })
  const queries = [
    { journeyId: 'one' },
    { messageId: '<a@b.example>' },
    { recipient: 'BOB@hamburger.example' },
    { reversePath: 'alice@crepes.example', recipient: 'bob@hamburger.example' },
    { link },
    { queueId: 7 },
    { accountId: 3 },
  ]
  for (const query of queries) {
    const found = await journeys.find({ ...query, limit: 10 })
    assert.deepEqual(
      found.map((journey) => journey.journeyId),
      ['one'],
      JSON.stringify(query),
    )
    assert.deepEqual(found[0]!.events, [event(at, 'submit', { size: 3 })])
    assert.equal(found[0]!.startedAt, at)
  }
  assert.deepEqual(
    await journeys.find({ messageId: '<a@b.example>', accountId: 4, limit: 1 }),
    [],
    'all that is asked must hold',
  )
})

test('the newest journey comes first', async (t) => {
  const { journeys } = await open(t)
  for (let i = 0; i < 5; i++) journeys.append({ journeyId: `j${i}`, facts: { accountIds: [1] }, events: [] })
  const ids = async (query: { accountId?: number }) =>
    (await journeys.find({ ...query, limit: 2 })).map((journey) => journey.journeyId)
  assert.deepEqual(await ids({ accountId: 1 }), ['j4', 'j3'])
  assert.deepEqual(await ids({}), ['j4', 'j3'])
})

test('what strangers were refused can be passed over, and what an account was refused stays', async (t) => {
  const { journeys } = await open(t)
  journeys.append({ journeyId: 'taken', facts: { state: 'delivered', refused: ['x@y.example'] }, events: [] })
  journeys.append({ journeyId: 'own', facts: { state: 'refused', senderAccountId: 1 }, events: [] })
  journeys.append({ journeyId: 'bot', facts: { state: 'refused' }, events: [] })
  const ids = async (refused?: boolean) =>
    (await journeys.find({ limit: 5, ...(refused === undefined ? {} : { refused }) })).map(
      (journey) => journey.journeyId,
    )
  assert.deepEqual(await ids(), ['bot', 'own', 'taken'])
  assert.deepEqual(await ids(true), ['bot', 'own', 'taken'])
  assert.deepEqual(await ids(false), ['own', 'taken'])
})

test('facts grow, and events of several entries are put in order of time', async (t) => {
  const { journeys, clock } = await open(t)
  const at = clock.now()
  const long = 'x'.repeat(5_000)
  journeys.append({
    journeyId: 'j',
    facts: { recipients: ['a@x.example'], state: 'queued' },
    events: [event(at + 5, 'wire', { long })],
  })
  journeys.append({
    journeyId: 'j',
    facts: { recipients: ['a@x.example', 'b@x.example'], state: 'delivered', links: [link, link] },
    events: [event(at, 'submit'), event(at, 'wire'), event(at + 9, 'dsn')],
  })
  const [journey] = await journeys.find({ journeyId: 'j', limit: 1 })
  assert.deepEqual(
    journey!.events.map(({ kind }) => kind),
    ['submit', 'wire', 'wire', 'dsn'],
  )
  assert.equal(journey!.events[2]!.data['long'], long)
  assert.deepEqual(journey!.facts.recipients, ['a@x.example', 'b@x.example'])
  assert.equal(journey!.facts.state, 'delivered')
})

test('wire text goes before the facts, and both in their time', async (t) => {
  const { journeys, clock } = await open(t)
  journeys.append({ journeyId: 'j', events: [event(clock.now(), 'submit'), event(clock.now(), 'wire')] })
  await journeys.flush()
  clock.advance(15 * day)
  await journeys.flush()
  const kinds = (await journeys.find({ journeyId: 'j', limit: 1 }))[0]!.events.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['submit'])
  clock.advance(80 * day)
  assert.deepEqual(await journeys.find({ journeyId: 'j', limit: 1 }), [])
})

test('a damaged file is set aside and begun anew', async (t) => {
  const folder = testFolder(t)
  writeFileSync(join(folder, 'journey.db'), 'this is no database, it is text of a good length'.repeat(100))
  const { journeys } = await open(t, { folder })
  journeys.append({ journeyId: 'j', events: [] })
  assert.equal((await journeys.find({ limit: 1 })).length, 1)
  assert.ok(existsSync(join(folder, 'journey.db.damaged')))
})

test('of journeys whose events are damaged the rest is shown', async (t) => {
  const { journeys, folder, clock } = await open(t)
  journeys.append({ journeyId: 'j', facts: { queueIds: [7] }, events: [event(clock.now(), 'submit')] })
  await journeys.flush()
  journeys.append({ journeyId: 'j', events: [event(clock.now(), 'file')] })
  await journeys.flush()
  const db = new DatabaseSync(join(folder, 'journey.db'))
  db.prepare('UPDATE batch SET events = ? WHERE batch = 1').run(Buffer.from('no zstd'))
  db.close()
  const [found] = await journeys.find({ queueId: 7, limit: 1 })
  assert.deepEqual(found?.events, [event(clock.now(), 'file')])
})

test('journeys are still there after the file was closed and opened', async (t) => {
  const folder = testFolder(t)
  const first = await open(t, { folder })
  first.journeys.append({ journeyId: 'j', facts: { messageId: '<a@b.example>' }, events: [] })
  await first.journeys.close()
  const second = await open(t, { folder })
  assert.equal((await second.journeys.find({ journeyId: 'j', limit: 1 })).length, 1)
  // Its keys were not in their table when the file was closed.
  assert.equal((await second.journeys.find({ messageId: '<a@b.example>', limit: 1 })).length, 1)
})

test('among thousands that share a fact those are found that have the other one too', async (t) => {
  const { journeys } = await open(t)
  const recipients = ['bob@hamburger.example']
  for (let i = 0; i < 5_000; i++)
    journeys.append({ journeyId: `j${i}`, facts: { recipients, queueIds: [i % 1_000] }, events: [] })
  const found = await journeys.find({ recipient: 'bob@hamburger.example', queueId: 7, limit: 4 })
  assert.deepEqual(
    found.map(({ journeyId }) => journeyId),
    ['j4007', 'j3007', 'j2007', 'j1007'],
  )
  assert.equal((await journeys.find({ recipient: 'bob@hamburger.example', limit: 1_000 })).length, 1_000)
})

test('what waits beyond the bound is dropped, the oldest first', async (t) => {
  const { journeys } = await open(t, { waitingOctets: 20_000 })
  for (let i = 0; i < 100; i++) {
    journeys.append({ journeyId: `j${i}`, events: [event(1, 'submit', { text: 'x'.repeat(1_000) })] })
  }
  const found = await journeys.find({ limit: 1_000 })
  assert.ok(found.length > 5 && found.length < 20, String(found.length))
  assert.equal(found[0]!.journeyId, 'j99')
})

test('the file stays under its bound', async (t) => {
  const { journeys } = await open(t, { fileOctets: 1_000_000 })
  for (let i = 0; i < 3_000; i++) {
    const noise = Buffer.from(Array.from({ length: 700 }, (_, k) => (i * 31 + k * k) & 255)).toString('hex')
    journeys.append({
      journeyId: `j${i}`,
      facts: { accountIds: [i] },
      events: [event(1 + i, 'submit', { noise })],
    })
    if (i % 100 === 0) await journeys.flush()
  }
  const found = await journeys.find({ limit: 1_000 })
  assert.equal(found[0]!.journeyId, 'j2999')
  assert.ok(found.length < 3_000)
})

test('what is told later is found beside what was told first, in whichever batch it came', async (t) => {
  const { journeys, clock } = await open(t)
  const at = clock.now()
  journeys.append({ journeyId: 'one', facts: { state: 'queued' }, events: [event(at, 'submit')] })
  journeys.append({ journeyId: 'two', facts: { state: 'queued' }, events: [] })
  journeys.append({ journeyId: 'one', events: [event(at, 'wire', { phase: 'closure' })] })
  await journeys.flush()
  journeys.append({ journeyId: 'one', facts: { state: 'delivered', queueIds: [4] }, events: [] })
  journeys.append({ journeyId: 'one', facts: { queueIds: [5] }, events: [event(at, 'file')] })
  for (const queueId of [4, 5]) {
    const [journey] = await journeys.find({ queueId, limit: 1 })
    assert.deepEqual(journey, {
      journeyId: 'one',
      startedAt: at,
      facts: { state: 'delivered', queueIds: [4, 5] },
      events: [event(at, 'submit'), event(at, 'wire', { phase: 'closure' }), event(at, 'file')],
    })
  }
  assert.deepEqual((await journeys.find({ journeyId: 'two', limit: 1 }))[0]!.facts, { state: 'queued' })
})

test('a dialogue comes back line by line, whatever was said in it', async (t) => {
  const { journeys, clock } = await open(t)
  const dialogue = (...texts: string[]) => ({
    phase: 'transfer',
    lines: texts.map((text, i) => ({ side: i % 2 === 0 ? 'C' : 'S', text, dtUs: 7 * i })),
    omitted: 3,
  })
  const dialogues = [
    dialogue(),
    dialogue('', ' ', 'EHLO a b', '250 "x"\\'),
    dialogue('a\nb', '\r', 'é\xff\0…'),
    dialogue('a\tb', '\t', '1 1 1'),
  ]
  const events = dialogues.map((data) => event(clock.now(), 'wire', data))
  journeys.append({ journeyId: 'j', events })
  const [journey] = await journeys.find({ limit: 1 })
  assert.deepEqual(journey!.events, events)
})

test('what was said beside events of one millisecond comes back in its place, and by line', async (t) => {
  const { journeys, clock } = await open(t)
  const at = clock.now()
  const spoken = ['S', 0, '220 x.example\r\n', 'C', 5, 'EHLO é\0…', 'S', 9, '250-x.example\r\n250 DSN\r\n']
  const wire: JourneyEvent = {
    ...event(at, 'wire', { phase: 'transfer' }),
    spoken,
    branch: 'b ob\n@x.example',
  }
  const claimed: JourneyEvent = { ...event(at, 'dsn'), witness: 'claimed', visibleTo: [] }
  journeys.append({ journeyId: 'j', events: [event(at, 'submit'), wire, claimed] })
  journeys.append({ journeyId: 'k', events: [wire] })
  const lines = [
    { side: 'S', text: '220 x.example', dtUs: 0 },
    { side: 'C', text: 'EHLO é\0…', dtUs: 5 },
    { side: 'S', text: '250-x.example', dtUs: 9 },
    { side: 'S', text: '250 DSN', dtUs: 9 },
  ]
  const read = { ...event(at, 'wire', { phase: 'transfer', lines }), branch: 'b ob\n@x.example' }
  const [k, j] = await journeys.find({ limit: 2 })
  assert.deepEqual(j!.events, [event(at, 'submit'), read, claimed])
  assert.deepEqual(k!.events, [read])
})

test('an end that comes when a refusal is known makes a journey be found by the address, too', async (t) => {
  const { journeys } = await open(t)
  journeys.append({ journeyId: 'j', facts: { remoteAddress: '192.0.2.9' }, events: [] })
  await journeys.flush()
  assert.equal((await journeys.find({ remoteAddress: '192.0.2.9', limit: 1 })).length, 0)
  journeys.append({ journeyId: 'j', facts: { state: 'refused' }, events: [] })
  assert.equal((await journeys.find({ remoteAddress: '192.0.2.9', limit: 1 })).length, 1)
})

test('keys are found while they are gathered, once they are sorted in, and after the file was opened again', async (t) => {
  const folder = testFolder(t)
  const first = await open(t, { folder })
  const count = 7_000
  for (let i = 0; i < count; i++)
    first.journeys.append({
      journeyId: `j${i}`,
      facts: { messageId: `<${i}@x.example>`, queueIds: [i] },
      events: [],
    })
  const check = async ({ journeys }: typeof first) => {
    for (const i of [0, 1, 2_999, 5_999, 6_001, count - 1]) {
      const found = await journeys.find({ messageId: `<${i}@x.example>`, queueId: i, limit: 9 })
      assert.deepEqual(
        found.map(({ journeyId }) => journeyId),
        [`j${i}`],
      )
    }
  }
  await check(first)
  await first.journeys.close()
  const counted = rows(folder, 'SELECT count(*) FROM found')
  assert.ok(counted > 0, 'some were sorted in')
  assert.ok(rows(folder, 'SELECT count(*) FROM unkeyed') > 0, 'and some not yet')
  await check(await open(t, { folder }))
})

test('nothing is left of journeys that went: neither their keys nor their batches', async (t) => {
  const folder = testFolder(t)
  const { journeys, clock } = await open(t, { folder })
  for (let i = 0; i < 13_000; i++)
    journeys.append({
      journeyId: `j${i}`,
      facts: { queueIds: [i] },
      events: [event(clock.now(), 'wire')],
    })
  await journeys.flush()
  clock.advance(91 * day)
  journeys.append({ journeyId: 'new', facts: { queueIds: [1] }, events: [] })
  const found = await journeys.find({ queueId: 1, limit: 10 })
  assert.deepEqual(
    found.map(({ journeyId }) => journeyId),
    ['new'],
  )
  await journeys.close()
  for (const table of ['found', 'wire']) assert.equal(rows(folder, `SELECT count(*) FROM ${table}`), 0, table)
  for (const table of ['journey', 'batch'])
    assert.equal(rows(folder, `SELECT count(*) FROM ${table}`), 1, table)
})

test('journeys of a file of the version before are still there, the oldest last', async (t) => {
  const folder = testFolder(t)
  const old = new DatabaseSync(join(folder, 'journey.db'))
  old.exec(oldTables)
  const count = 250
  const [journey, entry] = [
    old.prepare('INSERT INTO journey VALUES (?, ?, ?, ?, ?)'),
    old.prepare('INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?)'),
  ]
  const at = new FakeClock().now()
  for (let i = 1; i <= count; i++) {
    journey.run(i, `j${i}`, at, at, JSON.stringify({ queueIds: [i], subject: 'Für Bob\n' }))
    entry.run(i, at, 0, 2 * i, 0, JSON.stringify([[0, event(at, 'submit')]]))
    const wire = JSON.stringify([[1, event(at, 'wire', { long: 'é'.repeat(2_000) })]])
    entry.run(i, at, 1, 2 * i, 1, zstdCompressSync(wire))
    entry.run(i, at + 1, 0, 2 * i + 1, 0, JSON.stringify([[0, event(at + 1, 'file')]]))
  }
  old.close()
  const { journeys } = await open(t, { folder })
  journeys.append({ journeyId: 'j7', facts: { queueIds: [1_007] }, events: [event(at + 2, 'dsn')] })
  journeys.append({ journeyId: 'new', events: [] })
  const ids = (await journeys.find({ limit: 1_000 })).map(({ journeyId }) => journeyId)
  assert.deepEqual(ids, ['new', ...Array.from({ length: count }, (_, i) => `j${count - i}`)])
  const [seven] = await journeys.find({ queueId: 7, limit: 1 })
  assert.deepEqual(seven, {
    journeyId: 'j7',
    startedAt: at,
    facts: { queueIds: [7, 1_007], subject: 'Für Bob\n' },
    events: [
      event(at, 'submit'),
      event(at, 'wire', { long: 'é'.repeat(2_000) }),
      event(at + 1, 'file'),
      event(at + 2, 'dsn'),
    ],
  })
  await journeys.close()
  assert.equal(rows(folder, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'old%'"), 0)
})

test('what is damaged in a file of the version before is left behind, and nothing else', async (t) => {
  const folder = testFolder(t)
  const old = new DatabaseSync(join(folder, 'journey.db'))
  old.exec(oldTables)
  const at = new FakeClock().now()
  for (const [i, facts] of ['{}', '{"queueIds":', '{}'].entries()) {
    old.prepare('INSERT INTO journey VALUES (?, ?, ?, ?, ?)').run(i + 1, `j${i}`, at, at, facts)
    const events =
      i === 0 ? Buffer.from('no zstd') : zstdCompressSync(JSON.stringify([[0, event(at, 'file')]]))
    old.prepare('INSERT INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?)').run(i + 1, at, 0, 2 * i, 1, events)
  }
  old.close()
  const { journeys } = await open(t, { folder })
  const found = await journeys.find({ limit: 10 })
  assert.deepEqual(
    found.map(({ journeyId, events }) => [journeyId, events.length]),
    [
      ['j2', 1],
      ['j1', 1],
      ['j0', 0],
    ],
  )
})

test('journeys that cannot be opened hold nothing up, and begin when they can', async (t) => {
  const folder = testFolder(t)
  mkdirSync(join(folder, 'journey.db'))
  const { journeys, warnings } = await open(t, { folder })
  assert.deepEqual(warnings, ['journeys: the file cannot be opened; until it can, nothing is recorded'])
  journeys.append({ journeyId: 'early', events: [] })
  await journeys.flush().catch(() => {})
  rmdirSync(join(folder, 'journey.db'))
  journeys.append({ journeyId: 'late', events: [] })
  assert.deepEqual(
    (await journeys.find({ limit: 10 })).map(({ journeyId }) => journeyId),
    ['late'],
  )
})

function rows(folder: string, count: string): number {
  const db = new DatabaseSync(join(folder, 'journey.db'))
  try {
    return Number(Object.values(db.prepare(count).get()!)[0])
  } finally {
    db.close()
  }
}

const oldTables = `
CREATE TABLE journey (
  journey INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
  facts TEXT NOT NULL
);
CREATE INDEX journey_changed ON journey (changed_at);
CREATE TABLE found (key INTEGER NOT NULL, journey INTEGER NOT NULL, PRIMARY KEY (key, journey)) WITHOUT ROWID;
CREATE TABLE unkeyed (journey INTEGER PRIMARY KEY);
CREATE TABLE entry (
  entry INTEGER PRIMARY KEY, journey INTEGER NOT NULL, at INTEGER NOT NULL, wire INTEGER NOT NULL,
  part INTEGER NOT NULL, codec INTEGER NOT NULL, events NOT NULL
);
CREATE INDEX entry_journey ON entry (journey);
CREATE INDEX entry_wire ON entry (at) WHERE wire = 1;
PRAGMA user_version = 2;
`
