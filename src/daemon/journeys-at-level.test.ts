import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JourneyEntry, JourneyEvent } from '../journey/event.ts'
import { journeysAtLevel } from './journeys-at-level.ts'

const common = { at: 1, dtUs: 1, witness: 'observed' as const, visibleTo: ['admin' as const] }
const lines = [{ side: 'C', text: 'MAIL FROM:<alice@crepes.fr>', dtUs: 1 }]
const spoken: JourneyEvent = { ...common, stage: 'spoken', kind: 'wire', data: { lines } }
const filed: JourneyEvent = { ...common, stage: 'filed', kind: 'file', data: { uid: 3 } }
const collected: JourneyEvent = {
  ...common,
  ...{ stage: 'collected', kind: 'collect.imap', data: { uid: 3, lines } },
}
const facts = { state: 'delivered' as const }

function kept(level: 'full' | 'envelope' | 'facts' | 'off', entry: JourneyEntry): JourneyEntry[] {
  const entries: JourneyEntry[] = []
  journeysAtLevel(() => level, { append: (one) => entries.push(one) }).append(entry)
  return entries
}

test('the level says how much of a message’s way is kept', () => {
  const entry = { journeyId: 'j', facts, events: [spoken, filed, collected] }
  assert.deepEqual(kept('full', entry), [entry])
  const withoutLines = { ...collected, data: { uid: 3 } }
  assert.deepEqual(kept('envelope', entry), [{ journeyId: 'j', facts, events: [filed, withoutLines] }])
  assert.deepEqual(kept('facts', entry), [{ journeyId: 'j', facts, events: [] }])
  assert.deepEqual(kept('off', entry), [])
})

test('an entry of which the level leaves nothing is not written', () => {
  const entry = { journeyId: 'j', events: [spoken] }
  for (const level of ['envelope', 'facts', 'off'] as const) assert.deepEqual(kept(level, entry), [])
})
