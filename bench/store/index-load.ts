/** What it takes to load the index of a large mailbox: the store's part of a cold SELECT. */
import { median, type Surrounding } from './figure.ts'
import { copiedStore } from './prepare-store.ts'
import { openAt } from './use-store.ts'

export async function measureIndexLoad(surrounding: Surrounding): Promise<void> {
  const { sizes, say } = surrounding
  for (const messages of [sizes.mailbox, sizes.largeMailbox]) {
    const folder = await copiedStore({ accounts: 1, messages, octets: 2_000 }, surrounding)
    const cold: number[] = []
    const cpu: number[] = []
    const blocks: number[] = []
    let warm = Number.NaN
    for (let round = 0; round < 5; round++) {
      const store = await openAt(folder)
      const account = (await store.findAccount('u1@bench.test'))!
      const inbox = (await store.findMailbox(account.accountId, 'INBOX'))!
      const stopWatching = watchTurns()
      const used = process.threadCpuUsage()
      const begin = performance.now()
      const index = await store.loadIndex(account.accountId, inbox.mailboxId)
      cold.push(performance.now() - begin)
      const { user, system } = process.threadCpuUsage(used)
      cpu.push(user + system)
      blocks.push(stopWatching())
      index.release()
      const again = performance.now()
      ;(await store.loadIndex(account.accountId, inbox.mailboxId)).release()
      warm = performance.now() - again
      await store.close()
    }
    say({
      ...{
        name: `load the index of ${messages.toLocaleString('en')}, cold`,
        value: median(cold),
        unit: 'ms',
      },
      ...(messages === 100_000 ? { goal: { atMost: 100 } } : {}),
      cpuUs: median(cpu) / messages,
      note: `CPU a message; longest turn ${median(blocks).toFixed(1)} ms; again ${warm.toFixed(2)} ms`,
    })
  }
}

/** @returns Ends it and gives the longest time between two turns of the event loop, milliseconds. */
export function watchTurns(): () => number {
  let longest = 0
  let last = performance.now()
  let timer: NodeJS.Immediate
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    timer = setImmediate(look)
  }
  timer = setImmediate(look)
  return () => {
    clearImmediate(timer)
    return Math.max(longest, performance.now() - last)
  }
}
