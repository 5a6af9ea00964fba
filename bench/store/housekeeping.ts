/** Deliveries beside compaction and beside a backup, each against deliveries alone in the same store. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { backUp } from '../../src/store/sqlite/backup/back-up.ts'
import type { Store } from '../../src/store/store.ts'
import { quantile, type Surrounding } from './figure.ts'
import { watchTurns } from './index-load.ts'
import {
  addAccounts,
  type Delivered,
  deliverWhile,
  forSeconds,
  inTemporaryFolder,
  letterOf,
  openAt,
  untilIndexed,
} from './use-store.ts'

const deliverers = 20
const day = 24 * 60 * 60_000

export async function measureHousekeeping({ quick, say }: Surrounding): Promise<void> {
  const letters = Array.from({ length: 500 }, (_, n) => letterOf(n, 10_000))
  await inTemporaryFolder(async (folder) => {
    const data = join(folder, 'data')
    let store = await openAt(data)
    const accounts = await addAccounts(store, 20)
    // Some segments full, quickly.
    const large = Array.from({ length: 50 }, (_, n) => letterOf(n, 60_000))
    let left = quick ? 2_500 : 6_000
    await deliverWhile(store, 50, accounts, large, () => left-- > 0)
    for (const account of accounts) await expungeMost(store, account)
    await untilIndexed(store)
    await store.close()
    // What was expunged can be put back for a week.
    store = await openAt(data, 10 * day)
    const compare = compareWith(store, accounts, letters, say)
    const before = octetsBelow(data)
    await compare('compaction', async () => {
      const report = await store.clean()
      const gained = (before - octetsBelow(data)) / 1e6
      return `${report.segmentsRewritten} segments rewritten, ${report.segmentsRemoved} removed, ${gained.toFixed(0)} MB less`
    })
    await compare('backup', async () => {
      const request = { folder: join(folder, 'backup'), keep: null, journeys: false, link: false }
      const report = await backUp(store, data, systemClock, request, () => {})
      return `${(report.octetsWritten / 1e6).toFixed(0)} MB written, ${report.missing.length} missing`
    })
    await store.close()
  })
}

function compareWith(
  store: Store,
  accounts: readonly number[],
  letters: readonly Buffer[],
  say: Surrounding['say'],
) {
  const alone = () => deliverWhile(store, deliverers, accounts, letters, forSeconds(2))
  return async (name: string, work: () => Promise<string>): Promise<void> => {
    const before = await alone()
    let working = true
    const stopWatching = watchTurns()
    const begin = performance.now()
    const done = work().finally(() => {
      working = false
    })
    const delivered = await deliverWhile(store, deliverers, accounts, letters, () => working)
    const seconds = (performance.now() - begin) / 1_000
    const longest = stopWatching()
    const note = await done
    const after = await alone()
    const usual = (before.perSecond + after.perSecond) / 2
    const p99 = ({ latencies }: Delivered) => quantile(latencies, 0.99).toFixed(0)
    say({
      ...{ name: `deliveries beside ${name}`, value: delivered.perSecond / usual, unit: 'x alone' },
      note:
        `${delivered.perSecond.toFixed(0)}/s of ${usual.toFixed(0)}/s, p99 ${p99(delivered)} (alone ${p99(before)}) ms, ` +
        `longest turn ${longest.toFixed(0)} ms; took ${seconds.toFixed(1)} s: ${note}`,
    })
  }
}

/** Two of three, as somebody who keeps little. */
async function expungeMost(store: Store, accountId: number): Promise<void> {
  const { mailboxId } = (await store.findMailbox(accountId, 'INBOX'))!
  const index = await store.loadIndex(accountId, mailboxId)
  const uids = [...index.uids.subarray(0, index.length)].filter((uid) => uid % 3 > 0)
  index.release()
  await store.expunge(accountId, mailboxId, uids)
}

function octetsBelow(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}
