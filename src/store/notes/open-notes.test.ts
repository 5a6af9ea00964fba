import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { defaultLimits } from '../../base/limits.ts'
import { createLog, silentLog } from '../../base/log.ts'
import { type Journeys, openJourneys } from '../journeys/open.ts'
import type { PackedNote } from './note-base.ts'
import { memoryNotes, openNotes } from './open-notes.ts'

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-notes-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(folder: string, clock: FakeClock, notesPerKind = 100, log = silentLog) {
  const journeys: Journeys = await openJourneys({ folder, limits: defaultLimits, log, clock })
  const notes = await openNotes({ disk: journeys, limits: { notesPerKind }, clock, log })
  return {
    notes,
    async close() {
      await notes.close()
      await journeys.close()
    },
  }
}

test('notes are there again after a restart, oldest written first, without what is over or gone', async (t) => {
  const folder = folderFor(t)
  const clock = new FakeClock()
  const first = await open(folder, clock)
  const later = clock.now() + 10_000
  first.notes.put('ban', 'a', { why: 'login', times: 2 }, later)
  first.notes.put('ban', 'b', [1, null, 'ü'], later)
  first.notes.put('ban', 'c', true, clock.now() + 1)
  first.notes.put('ban', 'd', 4, later)
  first.notes.put('greylist', 'a', 0, later)
  first.notes.put('ban', 'a', { why: 'login', times: 3 }, later)
  first.notes.delete('ban', 'd')
  assert.equal(first.notes.get('ban', 'd'), null)
  await first.close()

  clock.advance(5)
  const second = await open(folder, clock)
  assert.deepEqual(
    Array.from(second.notes.list('ban'), ([key, { value }]) => [key, value]),
    [
      ['b', [1, null, 'ü']],
      ['a', { why: 'login', times: 3 }],
    ],
  )
  assert.equal(second.notes.get('greylist', 'a')?.value, 0)
  assert.equal(second.notes.get('greylist', 'b'), null)
  second.notes.put('ban', 'e', 5, later)
  await second.notes.flush()
  clock.advance(20_000)
  assert.equal(second.notes.get('ban', 'a'), null)
  assert.deepEqual([...second.notes.list('ban')], [])
  await second.close()
})

test('of each kind the newest are kept, on disk as well', async (t) => {
  const folder = folderFor(t)
  const clock = new FakeClock()
  const first = await open(folder, clock, 10)
  for (let i = 0; i < 5_000; i++) first.notes.put('greylist', `key ${i}`, i, clock.now() + 1_000)
  first.notes.put('ban', 'one', 1, clock.now() + 1_000)
  await first.close()
  const second = await open(folder, clock, 1_000)
  const keys = Array.from(second.notes.list('greylist'), ([key]) => key)
  assert.deepEqual(
    keys,
    Array.from({ length: 10 }, (_, i) => `key ${4_990 + i}`),
  )
  assert.equal(second.notes.get('ban', 'one')?.value, 1)
  await second.close()
})

test('a key that is too long is kept by its hash', async (t) => {
  const clock = new FakeClock()
  const { notes, close } = await open(folderFor(t), clock)
  const [long, other] = [`${'ü'.repeat(300)}a`, `${'ü'.repeat(300)}b`]
  notes.put('greylist', long, 1, clock.now() + 1_000)
  assert.equal(notes.get('greylist', long)?.value, 1)
  assert.equal(notes.get('greylist', other), null)
  const [[key] = ['']] = notes.list('greylist')
  assert.ok(Buffer.byteLength(key) <= 512)
  await close()
})

test('what changes a thousand times within a second is written once', async () => {
  const clock = new FakeClock()
  const batches: (readonly PackedNote[])[] = []
  const disk = {
    loadNotes: async () => [],
    writeNotes: async (notes: readonly PackedNote[]) => void batches.push(notes),
  }
  const notes = await openNotes({ disk, limits: { notesPerKind: 100 }, clock, log: silentLog })
  for (let i = 0; i < 1_000; i++) notes.put('rate', 'a', i, clock.now() + 1e6)
  assert.equal(batches.length, 0)
  clock.advance(1_000)
  await notes.flush()
  assert.deepEqual(batches, [[['rate', 'a', '999', clock.now() + 1e6 - 1_000, 1_000]]])
})

test('what the disk refuses is tried again with what comes later', async () => {
  const clock = new FakeClock()
  let failing = true
  const written: string[] = []
  const disk = {
    loadNotes: async () => [],
    async writeNotes(notes: readonly PackedNote[]) {
      if (failing) throw new Error('full')
      written.push(...notes.map(([, key]) => key))
    },
  }
  const notes = await openNotes({ disk, limits: { notesPerKind: 100 }, clock, log: silentLog })
  notes.put('ban', 'a', 1, clock.now() + 1e6)
  await assert.rejects(notes.flush())
  failing = false
  notes.put('ban', 'b', 1, clock.now() + 1e6)
  await notes.flush()
  assert.deepEqual(written.sort(), ['a', 'b'])
})

test('what cannot be read at the start is read before anything is written over it', async () => {
  const clock = new FakeClock()
  const later = clock.now() + 1e6
  let failing = true
  const there: PackedNote[] = [
    ['ban', 'old', '1', later, 7],
    ['ban', 'both', '1', later, 8],
    ['ban', 'lifted', '1', later, 9],
  ]
  const written: PackedNote[] = []
  const disk = {
    async loadNotes() {
      if (failing) throw new Error('full')
      return there
    },
    writeNotes: async (notes: readonly PackedNote[]) => void written.push(...notes),
  }
  const notes = await openNotes({ disk, limits: { notesPerKind: 100 }, clock, log: silentLog })
  notes.put('ban', 'both', 2, later)
  notes.put('ban', 'new', 2, later)
  notes.delete('ban', 'lifted')
  await assert.rejects(notes.flush())
  assert.deepEqual(written, [])
  failing = false
  await notes.flush()
  assert.deepEqual(
    Array.from(notes.list('ban'), ([key, { value }]) => [key, value]),
    [
      ['old', 1],
      ['both', 2],
      ['new', 2],
    ],
  )
  assert.deepEqual(written, [
    ['ban', 'both', '2', later, 10],
    ['ban', 'new', '2', later, 11],
    ['ban', 'lifted', null, 0, 0],
  ])
})

test('a damaged file is set aside', async (t) => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'notes.db'), 'this is no database, but long enough to be looked at '.repeat(100))
  const lines: string[] = []
  const clock = new FakeClock()
  const log = createLog(
    (line) => void lines.push(line),
    'warn',
    () => 0,
  )
  const { notes, close } = await open(folder, clock, 100, log)
  notes.put('ban', 'a', 1, clock.now() + 1_000)
  await notes.flush()
  await close()
  assert.match(lines.join(''), /notes: the file was damaged/)
  const again = await open(folder, clock)
  assert.equal(again.notes.get('ban', 'a')?.value, 1)
  await again.close()
})

test('memory is bounded under a million keys', () => {
  const clock = new FakeClock()
  const notes = memoryNotes(clock, silentLog, 1_000)
  for (let i = 0; i < 1_000_000; i++) notes.put('greylist', `key ${i}`, 1, clock.now() + 1_000)
  assert.equal([...notes.list('greylist')].length, 1_000)
  assert.equal(notes.waiting, 1_000)
})
