/**
 * A store under test/powercut/shim.c. A line `put` puts a letter into the first account and is answered with its UID, `box
 * NAME` makes a mailbox: `made` or `refused`; `list` answers with the UIDs and mailboxes. A store that fails ends the process.
 */
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { put } from './letters.ts'

const store = await openStore({
  ...{ folder: process.argv[2]!, limits: defaultLimits },
  surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
  onFailure: (error) => {
    console.log(`failed ${error.message}`)
    process.exit(75)
  },
})
if ((await store.listDomains()).length === 0) {
  await store.addDomain('hamburger.example')
  await store.addAccount('bob@hamburger.example', null)
}
const bob = (await store.listAccounts())[0]!.accountId
console.log('open')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, name] = line.split(' ')
  if (command === 'put') console.log(`uid ${(await put(store, bob)).uid}`)
  else if (command === 'box') {
    console.log(
      await store.createMailbox(bob, name!).then(
        () => 'made',
        () => 'refused',
      ),
    )
  } else {
    const index = await store.loadIndex(bob, 1)
    const names = (await store.listMailboxes(bob)).map((mailbox) => mailbox.name)
    console.log(`uids ${[...index.uids.subarray(0, index.length)].join()}; ${names.sort().join()}`)
    index.release()
  }
}
await store.close()
