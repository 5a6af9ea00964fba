/** What holds for every engine. Each engine's test hands in how to open an empty store. */
import type { TestContext } from 'node:test'
import type { Surroundings } from '../../src/base/dialler.ts'
import { FakeClock } from '../../src/base/clock.ts'
import { type Limits, defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { Account } from '../../src/store/accounts.ts'
import type { StoreOptions } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { accountContract } from './contract-accounts.ts'
import { bodyContract } from './contract-bodies.ts'
import { flagContract } from './contract-flags.ts'
import { housekeepingContract } from './contract-housekeeping.ts'
import { keyContract } from './contract-keys.ts'
import { mailboxContract } from './contract-mailboxes.ts'
import { messageContract } from './contract-messages.ts'
import { threadContract } from './contract-threads.ts'
import { queueContract } from './contract-queue.ts'
import { modelContract } from './contract-model.ts'
import { testFolder } from './folder.ts'

export const dayMs = 24 * 60 * 60_000

export type Open = (options: StoreOptions) => Promise<Store>

export interface Opened {
  readonly store: Store
  readonly clock: FakeClock
  readonly bob: Account
  readonly alice: Account
  /** Closes it and opens the same folder again. */
  reopen(): Promise<Store>
}

/** Opens a store with the domain hamburger.example and two accounts. */
export type Begin = (t: TestContext, limits?: Partial<Limits>) => Promise<Opened>

export function storeContract(name: string, open: Open): void {
  const begin: Begin = async (t, limits = {}) => {
    const clock = new FakeClock()
    const surroundings: Surroundings = { clock, random: seededRandom(7), log: silentLog }
    const options = { folder: testFolder(t), limits: { ...defaultLimits, ...limits }, surroundings }
    let store = await open(options)
    t.after(() => store.close())
    await store.addDomain('hamburger.example')
    const bob = await store.addAccount('bob@hamburger.example', 'hash')
    const alice = await store.addAccount('alice@hamburger.example', null)
    const reopen = async () => {
      await store.close()
      store = await open(options)
      return store
    }
    return { store, clock, bob, alice, reopen }
  }
  accountContract(name, begin)
  mailboxContract(name, begin)
  messageContract(name, begin)
  threadContract(name, begin)
  flagContract(name, begin)
  bodyContract(name, begin)
  queueContract(name, begin)
  keyContract(name, begin)
  housekeepingContract(name, begin)
  modelContract(name, begin)
}
