/**
 * The power goes while a backup is made or restored: a backup that was finished is whole, and so is every one that counts
 * as one; a restored store is whole, or there is none and the same command begins it anew. `POWERCUT_CUTS`,
 * `POWERCUT_SEED` as in powercut.test.ts.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../harness/temp.ts'
import { listBackups, verifyBackup, verifyStore } from '../../src/store/backup.ts'
import { restoreAll } from '../../src/store/sqlite/backup/restore-all.ts'
import { DiskModel, fates } from './disk-model.ts'
import { Chance } from './random.ts'
import { buildShim } from './shim.ts'
import { readTrace, type TraceRecord } from './trace.ts'

const seed = Number(process.env['POWERCUT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const cutsWanted = Number(process.env['POWERCUT_CUTS'] ?? 40)
const child = new URL('./backup-child.ts', import.meta.url).pathname
const none = () => {}

function record(shim: string, disk: string): TraceRecord[] {
  mkdirSync(disk)
  const [log, marks] = [`${disk}.log`, `${disk}.marks`]
  const env = { ...process.env, LD_PRELOAD: shim, SHIM_FOLDER: disk, SHIM_LOG: log, SHIM_MARKS: marks }
  const args = [child, join(disk, 'var'), marks]
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 120_000 })
  assert.equal(status, 0, stderr)
  return readTrace(readFileSync(log))
}

/** @returns How many stores had been restored. */
async function check(image: string, done: readonly string[]): Promise<number> {
  const folder = join(image, 'var/backups')
  const into = join(image, 'var/restored')
  const finished = done.filter((step) => step === 'backup').length
  const backups = listBackups(folder)
  if (finished > 0) assert.ok(backups.length > 0, 'a finished backup is gone')
  for (const { name, broken } of backups) {
    assert.equal(broken, null)
    const { problems } = await verifyBackup(folder, name, false, none)
    assert.deepEqual(problems, [], name)
  }
  const restored = existsSync(join(into, 'shard-00'))
  if (done.includes('restored')) assert.ok(restored, 'what was restored is gone')
  if (!restored && backups.length > 0) {
    const request = { folder, at: null, keepUidValidity: false, withoutQueue: false, nowMs: Date.now() }
    assert.deepEqual(restoreAll({ ...request, into }, none).damaged, [])
  }
  if (!existsSync(join(into, 'shard-00'))) return 0
  const { problems, messages } = await verifyStore(null, into, false, none)
  assert.deepEqual(problems, [])
  assert.ok(messages >= 30)
  assert.ok(existsSync(join(into, 'self-made.pem')))
  return restored ? 1 : 0
}

test(`a power cut leaves backups whole, and a restored store whole or none (POWERCUT_SEED=${seed})`, {
  timeout: 600_000,
}, async (t) => {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return
  const disk = join(folder, 'disk')
  const records = record(shim, disk)
  const chance = new Chance(seed)
  const steps = records.flatMap(({ kind, data }, at) =>
    kind === 'mark' ? [{ at, step: JSON.parse(data.toString()) as string }] : [],
  )
  assert.deepEqual(
    steps.map(({ step }) => step),
    ['begin', 'backup', 'begin', 'backup', 'restored'],
  )
  const [begin, restoring] = [steps[0]!.at, steps[3]!.at]
  const after = (at: number) => at + chance.below(records.length + 1 - at)
  const cuts = Array.from({ length: cutsWanted }, (_, i) => {
    if (i % 5 === 0) return chance.pick(steps).at + 1
    return after(i % 2 === 0 ? begin : restoring)
  }).sort((a, b) => a - b)
  const model = new DiskModel(disk)
  let at = 0
  let stores = 0
  for (const cut of cuts) {
    for (; at < cut; at++) model.follow(records[at]!)
    const image = mkdtempSync(join(tmpdir(), 'posthorn-cut-'))
    const fate = { data: chance.pick(fates), entries: chance.pick(fates) }
    try {
      model.cut(image, chance, fate)
      const done = steps.filter((step) => step.at < cut).map(({ step }) => step)
      stores += await check(image, done)
    } catch (error) {
      throw new Error(`cut at ${cut} of ${records.length}, ${JSON.stringify(fate)}`, { cause: error })
    } finally {
      rmSync(image, { recursive: true, force: true })
    }
  }
  t.diagnostic(`${cutsWanted} cuts of ${records.length} records, ${stores} stores were restored`)
})
