/**
 * Opens a store and says so; puts a letter in for each line it is given, and answers with its UID; closes at the end of
 * input. A store that cannot be opened: prints the name of the error.
 */
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { put } from './letters.ts'

const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
try {
  const store = await openStore({ folder: process.argv[2]!, limits: defaultLimits, surroundings })
  console.log('open')
  for await (const _ of createInterface({ input: process.stdin })) {
    const [account] = await store.listAccounts()
    console.log(`uid ${(await put(store, account!.accountId)).uid}`)
  }
  await store.close()
} catch (error) {
  console.log(error instanceof Error ? error.name : String(error))
}
