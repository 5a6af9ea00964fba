import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
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
  const journeys = await openJourneys({ limits, log: silentLog, clock, ...options, folder })
  t.after(() => journeys.close())
  return { journeys, clock, folder }
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
  const { journeys } = await open(t, { waitingChars: 20_000 })
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
