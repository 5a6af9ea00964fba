/** STORE of one message and of all, as the store does it; and how far expunging and copying are from it. */
import { median, quantile, type Surrounding } from './figure.ts'
import { watchTurns } from './index-load.ts'
import { copiedStore } from './prepare-store.ts'
import { openAt } from './use-store.ts'

export async function measureFlags(surrounding: Surrounding): Promise<void> {
  const { sizes, say, quick } = surrounding
  const messages = sizes.mailbox
  const store = await openAt(await copiedStore({ accounts: 1, messages, octets: 2_000 }, surrounding))
  const { accountId } = (await store.findAccount('u1@bench.test'))!
  const { mailboxId } = (await store.findMailbox(accountId, 'INBOX'))!
  const index = await store.loadIndex(accountId, mailboxId)
  const uids = [...index.uids.subarray(0, index.length)]
  const change = (which: number[], op: 'add' | 'remove') =>
    store.storeFlags(accountId, mailboxId, which, { op, flags: 4, keywords: [] })
  await change(uids, 'remove')

  const single: number[] = []
  const used = process.cpuUsage()
  const begin = performance.now()
  for (let n = 0; n < (quick ? 500 : 3_000); n++) {
    const at = performance.now()
    await change([uids[(n * 37) % uids.length]!], 'add')
    single.push(performance.now() - at)
  }
  const seconds = (performance.now() - begin) / 1_000
  const { user, system } = process.cpuUsage(used)
  say({
    ...{ name: 'STORE, one message, one session', value: single.length / seconds, unit: '/s' },
    ...{ goal: { atLeast: 1_500 }, cpuUs: (user + system) / single.length },
    note: `p50 ${median(single).toFixed(2)}, p99 ${quantile(single, 0.99).toFixed(1)} ms`,
  })
  await change(uids, 'remove')

  const all: number[] = []
  const blocks: number[] = []
  const before = process.cpuUsage()
  for (let round = 0; round < 5; round++) {
    for (const op of ['add', 'remove'] as const) {
      const stopWatching = watchTurns()
      const at = performance.now()
      await change(uids, op)
      all.push(performance.now() - at)
      blocks.push(stopWatching())
    }
  }
  const after = process.cpuUsage(before)
  say({
    ...{ name: `STORE, all of ${messages.toLocaleString('en')}`, value: median(all), unit: 'ms' },
    ...(messages === 100_000 ? { goal: { atMost: 400 } } : {}),
    cpuUs: (after.user + after.system) / all.length / uids.length,
    note: `CPU a message, which includes the watching; longest turn ${median(blocks).toFixed(1)} ms`,
  })
  index.release()
  await store.close()
}
