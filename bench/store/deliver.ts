/** What the store itself takes for a delivery of 10 KB, with 1, 10 and 100 that wait for their answers. */
import { median, quantile, type Surrounding } from './figure.ts'
import {
  addAccounts,
  deliverWhile,
  forSeconds,
  inTemporaryFolder,
  letterOf,
  openAt,
  untilIndexed,
} from './use-store.ts'

const goals = new Map([
  [1, 600],
  [100, 5_000],
])

export async function measureDeliver({ say, sizes }: Surrounding): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const store = await openAt(folder)
    const accounts = await addAccounts(store, 100)
    const letters = Array.from({ length: 500 }, (_, n) => letterOf(n, 10_000))
    await deliverWhile(store, 20, accounts, letters, forSeconds(1))
    for (const deliverers of [1, 10, 100]) {
      const rounds: Awaited<ReturnType<typeof deliverWhile>>[] = []
      for (let round = 0; round < 3; round++) {
        await untilIndexed(store)
        rounds.push(await deliverWhile(store, deliverers, accounts, letters, forSeconds(sizes.seconds / 3)))
      }
      const of = (pick: (one: (typeof rounds)[number]) => number) => median(rounds.map(pick))
      const latencies = rounds.flatMap((one) => one.latencies)
      const goal = goals.get(deliverers)
      say({
        ...{ name: `deliver, ${deliverers} at once`, value: of((one) => one.perSecond), unit: '/s' },
        ...(goal === undefined ? {} : { goal: { atLeast: goal } }),
        cpuUs: of((one) => one.mainUs + one.writerUs),
        note:
          `sockets' thread ${of((one) => one.mainUs).toFixed(0)}, writer ${of((one) => one.writerUs).toFixed(0)}, ` +
          `besides index ${of((one) => one.searchUs).toFixed(0)} µs; ` +
          `p50 ${median(latencies).toFixed(1)}, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`,
      })
    }
    await store.close()
  })
}
