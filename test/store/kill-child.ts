/**
 * Accepts letters as fast as it can and prints what has been acknowledged, until it is killed. Each line: account, uid,
 * modseq, the letter's number and the numbers of its queue rows.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { killLetter } from './kill-letter.ts'
import { filing, itemOf, queueEntry } from './letters.ts'

const [folder, first] = [process.argv[2]!, Number(process.argv[3])]
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const store = await openStore({ folder, limits: defaultLimits, surroundings })
const accounts = await store.listAccounts()
// Every other row is being tried when it dies.
let reserved = 0
store.handOut({
  reserve: () => (reserved++ % 2 === 0 ? { nowMs: Date.now(), leaseMs: 60_000 } : null),
  take() {},
})
writeSync(1, 'open\n')
let number = first

async function deliverForEver(): Promise<void> {
  for (;;) {
    const mine = number++
    const account = accounts[mine % accounts.length]!
    const other = accounts[(mine + 1) % accounts.length]!
    const queue = mine % 5 === 0 ? [queueEntry(account.accountId)] : []
    const filings = [filing(account.accountId), ...(mine % 3 === 0 ? [filing(other.accountId)] : [])]
    const [result] = await store.accept([await itemOf(store, killLetter(mine), filings, queue)])
    if (result instanceof Error) throw result
    const lines = result!.filed.map(
      ({ accountId, uid, modseq }) => `${accountId} ${uid} ${modseq} ${mine} ${result!.queueIds.join()}\n`,
    )
    // One write, so that a line is either printed or not.
    writeSync(1, lines.join(''))
    if (mine % 17 === 0)
      await store.storeFlags(account.accountId, 1, [result!.filed[0]!.uid], {
        op: 'add',
        flags: 1,
        keywords: [],
      })
  }
}

await Promise.all(Array.from({ length: 20 }, deliverForEver))
