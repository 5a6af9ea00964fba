import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { memoryNotes } from '../../store/notes/open-notes.ts'
import { dayMs, dayOf } from '../days.ts'
import { DmarcGatherer } from './gather.ts'
import type { DmarcObservation, ObservedPolicy } from './observation.ts'
import { readReportedRecord } from './record.ts'

const clock = new FakeClock()
const today = dayOf(clock.now())
const limits = { reportRows: 100, reportRowsPerDomain: 3 }
const policy: ObservedPolicy = {
  ...{ domain: 'crepes.fr', p: 'reject', sp: null, np: null, adkim: 'r', aspf: 'r' },
  ...{ pct: null, testing: false, fo: null, discoveryMethod: 'treewalk' },
}

function seen(more: Partial<DmarcObservation> = {}): DmarcObservation {
  return {
    at: today + 5_000,
    sourceAddress: '192.0.2.1',
    reversePathDomain: 'crepes.fr',
    headerFromDomain: 'crepes.fr',
    policy,
    rua: 'mailto:dmarc@crepes.fr',
    spf: { domain: 'crepes.fr', result: 'pass' },
    dkim: [{ domain: 'crepes.fr', selector: 's1', result: 'pass' }],
    aligned: { spf: true, dkim: true },
    disposition: 'pass',
    reasons: [],
    ...more,
  }
}

const freshNotes = () => memoryNotes(clock, silentLog)

test('equal rows are counted, others stand beside', () => {
  const gatherer = new DmarcGatherer(freshNotes(), limits)
  gatherer.observe(seen())
  gatherer.observe(seen({ at: today + 9_000 }))
  gatherer.observe(seen({ sourceAddress: '192.0.2.2' }))
  const [report, ...others] = gatherer.gathered(today + dayMs)
  assert.deepEqual(others, [])
  assert.deepEqual(
    report!.records.map(({ sourceAddress, count }) => [sourceAddress, count]),
    [
      ['192.0.2.1', 2],
      ['192.0.2.2', 1],
    ],
  )
})

test('a day has reports of its own, and so has each policy of a domain', () => {
  const gatherer = new DmarcGatherer(freshNotes(), limits)
  gatherer.observe(seen())
  gatherer.observe(seen({ at: today + dayMs }))
  gatherer.observe(seen({ policy: { ...policy, p: 'none' }, disposition: 'none' }))
  assert.deepEqual(
    gatherer.gathered(today + dayMs).map((one) => [one.day, one.policy.p]),
    [
      [today, 'reject'],
      [today, 'none'],
    ],
  )
  assert.equal(gatherer.gathered(today + 2 * dayMs).length, 3)
  assert.equal(gatherer.gathered(today).length, 0)
})

test('who wants no report is not observed', () => {
  const gatherer = new DmarcGatherer(freshNotes(), limits)
  gatherer.observe(seen({ rua: null }))
  assert.deepEqual(gatherer.gathered(today + dayMs), [])
})

test('rows have a bound for a domain and for all; what is beyond is counted', () => {
  const gatherer = new DmarcGatherer(freshNotes(), { reportRows: 4, reportRowsPerDomain: 3 })
  for (let host = 1; host <= 5; host++) gatherer.observe(seen({ sourceAddress: `192.0.2.${host}` }))
  gatherer.observe(seen({ sourceAddress: '192.0.2.1' }))
  const other = { ...policy, domain: 'b.example' }
  for (let host = 1; host <= 2; host++)
    gatherer.observe(seen({ policy: other, sourceAddress: `192.0.2.${host}` }))
  assert.deepEqual(
    gatherer.gathered(today + dayMs).map(({ records, leftOut }) => [records.length, leftOut]),
    [
      [3, 2],
      [1, 1],
    ],
  )
})

test('domains have a bound, and so has changing a policy', () => {
  const gatherer = new DmarcGatherer(freshNotes(), { reportRows: 10, reportRowsPerDomain: 100 })
  for (let n = 0; n < 20; n++) gatherer.observe(seen({ policy: { ...policy, fo: String(n) } }))
  const changed = gatherer.gathered(today + dayMs)
  assert.equal(changed.length, 5)
  assert.equal(
    changed.flatMap(({ records }) => records).reduce((sum, { count }) => sum + count, 0),
    20,
  )
  for (let n = 0; n < 20; n++) gatherer.observe(seen({ policy: { ...policy, domain: `d${n}.example` } }))
  assert.equal(gatherer.gathered(today + dayMs).length, 10)
})

test('what was gathered is there again after a restart, and gone when it has been forgotten', () => {
  const notes = freshNotes()
  const before = new DmarcGatherer(notes, { reportRows: 4, reportRowsPerDomain: 1 })
  before.observe(seen())
  before.observe(seen({ sourceAddress: '192.0.2.9' }))
  before.observe(seen({ rua: 'mailto:new@crepes.fr' }))
  const after = new DmarcGatherer(notes, limits)
  assert.deepEqual(after.gathered(today + dayMs), before.gathered(today + dayMs))
  const [report] = after.gathered(today + dayMs)
  assert.deepEqual([report!.rua, report!.leftOut, report!.records[0]!.count], ['mailto:new@crepes.fr', 1, 2])
  after.forget(report!.key)
  assert.deepEqual(after.gathered(today + dayMs), [])
  assert.deepEqual(new DmarcGatherer(notes, limits).gathered(today + dayMs), [])
})

test('a record is told as it is applied', () => {
  const text =
    'v=DMARC1; p=reject; np=quarantine; t=y; pct=30; fo=1:d; adkim=s; rua= mailto:a@crepes.fr!10m, mailto:b@x.example'
  assert.deepEqual(readReportedRecord('crepes.fr', text), {
    policy: {
      ...{ domain: 'crepes.fr', p: 'reject', sp: null, np: 'quarantine', adkim: 's', aspf: 'r' },
      ...{ pct: 30, testing: true, fo: '1:d', discoveryMethod: 'treewalk' },
    },
    rua: 'mailto:a@crepes.fr!10m, mailto:b@x.example',
  })
  assert.equal(readReportedRecord('crepes.fr', 'v=DMARC1; p=none; rua=').rua, null)
})
