/**
 * Promises 1 and 2 when the power goes: what was acknowledged is there, once and intact, whatever the disk made of what
 * had not been synced; docs/decisions/110. `POWERCUT_CUTS=3000` cuts more often; `POWERCUT_SEED` gives the same chances
 * again, though threads make no two loads quite alike.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../harness/temp.ts'
import { Verdict } from './check-image.ts'
import { chooseCuts, cutPower, cutTwice } from './cut-power.ts'
import { Chance } from './random.ts'
import { recordLoad } from './record-load.ts'
import { buildShim } from './shim.ts'

const seed = Number(process.env['POWERCUT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const cutsWanted = Number(process.env['POWERCUT_CUTS'] ?? 40)
/** Cuts for which one load serves. */
const cutsOfLoad = 200
const letters = 330
/** Within so many cuts a control must find a loss. */
const controlCuts = 90

test(`a power cut loses nothing that was acknowledged (POWERCUT_SEED=${seed})`, {
  timeout: 14_400_000,
}, async (t) => {
  const folder = temporaryFolder(t)
  const shim = await buildShim(t, folder)
  if (shim === null) return
  const chance = new Chance(seed)
  const sums = new Verdict()
  for (let left = cutsWanted, run = 0; left > 0; left -= cutsOfLoad, run++) {
    const disk = join(folder, `disk${run}`)
    const processes = ['close', 'kill', 'close'] as const
    const environment = { POWERCUT_CLEAN: '1' }
    const trace = recordLoad({
      shim,
      disk,
      letters,
      first: 1,
      seed: seed + run * 100,
      processes,
      environment,
    })
    const removed = trace.records.filter(({ kind, data }) => kind === 'unlink' && data.includes('/seg/'))
    assert.ok(removed.length > 0, 'the housekeeping had nothing to do')
    const cuts = Math.min(left, cutsOfLoad)
    await cutPower(trace, chooseCuts(trace, cuts, chance), chance, sums)
    for (let i = 0; i < Math.ceil(cuts / 25); i++) {
      const cut = chance.below(trace.records.length)
      await cutTwice(trace, cut, { shim, cuts: 4, chance }, sums)
    }
    assert.equal(sums.losses.length, 0, describe(sums))
  }
  t.diagnostic(`${cutsWanted} cuts, ${sums.checks} checks, none lost`)
})

const controls: readonly (readonly [string, NodeJS.ProcessEnv])[] = [
  ['commits that are not synced', { POWERCUT_SYNCHRONOUS: 'NORMAL' }],
  ['batches that leave no record', { POWERCUT_CARELESS: 'records' }],
  ['bodies that are not synced', { POWERCUT_CARELESS: 'bodies' }],
  ['folders that are not synced', { POWERCUT_CARELESS: 'folders' }],
]
for (const [what, environment] of controls) {
  test(`control: the same cuts find ${what}`, { timeout: 120_000 }, async (t) => {
    const folder = temporaryFolder(t)
    const shim = await buildShim(t, folder)
    if (shim === null) return
    const load = { shim, disk: join(folder, 'disk'), letters: 120, first: 1, seed, environment }
    const trace = recordLoad({ ...load, processes: ['close'] })
    const chance = new Chance(seed)
    const sums = new Verdict()
    // Many a cut takes nothing that nobody has made sure of: as many as it takes, within bounds.
    for (let cuts = 0; cuts < controlCuts && sums.losses.length === 0; cuts += 9) {
      await cutPower(trace, chooseCuts(trace, 9, chance), chance, sums)
    }
    t.diagnostic(`${sums.losses.length} losses in ${sums.checks} checks`)
    assert.ok(sums.losses.length > 0)
  })
}

function describe({ losses }: Verdict): string {
  return `${losses.length} losses, POWERCUT_SEED=${seed}:\n${losses.slice(0, 20).join('\n')}`
}
