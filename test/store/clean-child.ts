/** Accepts letters, expunges some, and cleans all the time, until it is killed. Prints what was acknowledged and not expunged. */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open-store.ts'
import { killLetter } from './kill-letter.ts'
import { filing, itemOf } from './letters.ts'

const [folder, first] = [process.argv[2]!, Number(process.argv[3])]
// Minutes pass as seconds, so that what is expunged is soon garbage.
const startMs = Date.now()
const clock = { ...systemClock, now: () => startMs + (Date.now() - startMs) * 3_000 }
const surroundings = { clock, random: systemRandom, log: silentLog }
const limits = { ...defaultLimits, undeleteMs: 1 }
const store = await openStore(
  { folder, limits, surroundings },
  { module: new URL('./nth-call-disk.ts', import.meta.url).href, data: new Int32Array(2), leaveMs: 0 },
)
const { accountId } = (await store.listAccounts())[0]!
writeSync(1, 'open\n')
let number = first

async function deliver(): Promise<void> {
  for (;;) {
    const mine = number++
    const [result] = await store.accept([await itemOf(store, killLetter(mine), [filing(accountId)])])
    if (result instanceof Error) throw result
    const { uid } = result!.filed[0]!
    if (mine % 3 > 0) await store.expunge(accountId, 1, [uid])
    else writeSync(1, `${uid} ${mine}\n`)
  }
}

async function clean(): Promise<void> {
  for (;;) {
    const { segmentsRewritten } = await store.clean()
    writeSync(1, `cleaned ${segmentsRewritten}\n`)
  }
}

await Promise.all([deliver(), deliver(), deliver(), clean()])
