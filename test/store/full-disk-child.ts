/** Fills the tables until the disk (a bound on the size of files) refuses, and says what is left. */
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { filing, itemOf, letter } from './letters.ts'

const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const store = await openStore({ folder: process.argv[2]!, limits: defaultLimits, surroundings })
await store.addDomain('hamburger.example')
const { accountId } = await store.addAccount('bob@hamburger.example', null)
const prefix = `X-Long: ${'x'.repeat(15_000)}\r\n`
const accepted: number[] = []
let refused: Error | null = null
while (refused === null && accepted.length < 5_000) {
  const items = await Promise.all(
    Array.from({ length: 10 }, () => itemOf(store, letter('x'), [filing(accountId, { prefix })])),
  )
  for (const result of await store.accept(items)) {
    if (result instanceof Error) refused = result
    else accepted.push(result.filed[0]!.emailId)
  }
}
let readable = 0
for (const emailId of accepted) {
  const [email] = await store.getEmails(accountId, [emailId])
  if ((await store.readBody(email!.body, 0, 1_000)).length === letter('x').length) readable++
}
console.log(`refused with ${refused?.name}, ${readable} of ${accepted.length} readable`)
await store.close()
