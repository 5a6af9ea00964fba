/** What the tests of the search share: a store with an account, and texts to find computed without it. */
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { IndexFor } from '../../src/base/config.ts'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { type Log, silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { foldText } from '../../src/message/fold-text.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { bodyTexts, headerText, searchedFields } from '../../src/message/searched-text.ts'
import { openStore } from '../../src/store/open.ts'
import type { SearchCriterion } from '../../src/store/search.ts'
import type { Store } from '../../src/store/store.ts'
import { testFolder } from './folder.ts'
import { acceptOne, filing, itemOf } from './letters.ts'

export interface SearchWorld {
  readonly folder: string
  readonly accountId: number
  store: Store
  /** What was said that an operator should know. */
  readonly warnings: string[]
  /** Of all letters put, in their order. */
  readonly emailIds: number[]
  put(letter: string | Uint8Array): Promise<number>
  /** Places of the letters that match. */
  find(criteria: readonly SearchCriterion[], plain?: boolean): Promise<number[]>
  reopen(meanwhile?: () => void): Promise<void>
}

export function openAt(
  folder: string,
  log: Log = silentLog,
  indexFor: IndexFor = 'everybody',
): Promise<Store> {
  return openStore({
    ...{ folder, limits: defaultLimits, indexFor },
    surroundings: { clock: systemClock, random: systemRandom, log },
  })
}

export async function searchWorld(t: TestContext, indexFor: IndexFor = 'everybody'): Promise<SearchWorld> {
  const folder = testFolder(t)
  const warnings: string[] = []
  const log: Log = {
    ...silentLog,
    warn: (text, facts) => void warnings.push(`${text} ${JSON.stringify(facts)}`),
  }
  const store = await openAt(folder, log, indexFor)
  await store.addDomain('hamburger.example')
  const { accountId } = await store.addAccount('bob@hamburger.example', null)
  const world: SearchWorld = {
    ...{ folder, accountId, store, warnings, emailIds: [] },
    async put(letter) {
      const item = await itemOf(world.store, letter, [filing(accountId)])
      const { emailId } = (await acceptOne(world.store, item)).filed[0]!
      world.emailIds.push(emailId)
      return emailId
    },
    async find(criteria, plain = false) {
      const emailIds = Float64Array.from(world.emailIds)
      return [...(await world.store.search(accountId, { emailIds, criteria, plain }))]
    },
    async reopen(meanwhile) {
      await world.store.close()
      meanwhile?.()
      world.store = await openAt(folder, log, indexFor)
    },
  }
  t.after(() => world.store.close())
  return world
}

/** Waits until everything is indexed: at once, since somebody searches. */
export async function indexed(store: Store): Promise<void> {
  await store.search(0, { emailIds: new Float64Array(0), criteria: [] })
  while ((await store.searchStatus()).waiting > 0) await wait(10)
}

/** The folded texts of a letter: its header, and those below it. */
export function textsOf(octets: Uint8Array): { readonly header: string; readonly bodies: readonly string[] } {
  const scanner = new MessageScanner()
  scanner.push(octets)
  const { root, headerOctets } = scanner.finish()
  const header = foldText(headerText(searchedFields(octets.subarray(0, headerOctets))))
  const bodies = [...bodyTexts(root, (offset, length) => octets.subarray(offset, offset + length))]
  return { header, bodies: bodies.map(foldText) }
}

/** A letter's octets, given as text with LF. */
export function octetsOf(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8')
}
