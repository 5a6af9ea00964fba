/** What one mailbox of 100,000 messages costs, and how long it keeps the sockets' thread from its sockets. */
import { rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'

const count = Number(process.argv[2] ?? 100_000)
const folder = '/work/spike-large'
rmSync(folder, { recursive: true, force: true })
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const open = () => openStore({ folder, limits: defaultLimits, surroundings })
let store = await open()
await store.addDomain('d.example')
const { accountId } = await store.addAccount('bob@d.example', null)
let n = 0
async function put(): Promise<void> {
  const text = Buffer.from(
    `Subject: ${++n}\r\nMessage-ID: <${n}@x.example>\r\nFrom: a@x.example\r\n\r\nHello\r\n`,
  )
  const sink = store.openBody()
  sink.write(text)
  const scanner = new MessageScanner()
  scanner.push(text)
  const base = { accountId, mailboxId: null, prefix: 'Received: x\r\n', flags: 0, keywords: [] }
  const filings = [{ ...base, internalDate: 1_770_000_000_000, journeyId: null }]
  await store.accept([{ body: await sink.finish(), scan: scanner.finish(), filings, queue: [] }])
}

/** Longest wait of a timer that is due every millisecond. */
let longest = 0
let last = performance.now()
const ticker = setInterval(() => {
  longest = Math.max(longest, performance.now() - last)
  last = performance.now()
}, 1)

async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  await wait(50)
  longest = 0
  const start = performance.now()
  await work()
  const took = performance.now() - start
  await wait(5)
  console.log(
    name.padEnd(34),
    `${took.toFixed(1)} ms`.padStart(10),
    ` longest block ${longest.toFixed(1)} ms`,
  )
}

while (n < count) await Promise.all(Array.from({ length: 500 }, put))
await store.close()
store = await open()
const uids = Array.from({ length: count }, (_, i) => i + 1)
const trash = (await store.findMailbox(accountId, 'Trash'))!.mailboxId
await measure('loadIndex, cold', () => store.loadIndex(accountId, 1))
await measure('loadIndex, again', () => store.loadIndex(accountId, 1))
const index = await store.loadIndex(accountId, 1)
await measure('changesSince, 100 of them', () =>
  store.changesSince(accountId, 1, index.highestModseq - 100, 1_000),
)
await measure('getEmails, all, 500 at once', async () => {
  for (let at = 0; at < count; at += 500) {
    await store.getEmails(accountId, [...index.emailIds.subarray(at, at + 500)])
  }
})
await measure('getEmails, 500 scattered', () =>
  store.getEmails(
    accountId,
    [...index.emailIds.subarray(0, count)].filter((_, i) => i % (count / 500) === 0),
  ),
)
await measure('readBody, 1,000 one by one', async () => {
  const emails = await store.getEmails(accountId, [...index.emailIds.subarray(0, 500)])
  for (const email of [...emails, ...emails]) await store.readBody(email!.body, 0, 100)
})
const flag = (flags: number, which = uids) =>
  store.storeFlags(accountId, 1, which, { op: 'add', flags, keywords: [] })
await measure('storeFlags, all', () => flag(1))
await measure('storeFlags, every other one', () =>
  flag(
    4,
    uids.filter((uid) => uid % 2 === 0),
  ),
)
await measure('storeFlags, one', () => flag(2, [7]))
await measure('storeFlags, 1,000 times one', async () => {
  for (let i = 0; i < 1_000; i++) await flag(16, [i + 10])
})
await measure('copy, 1,000', () => store.copy(accountId, 1, uids.slice(0, 1_000), trash))
await measure('move, 10,000', () => store.move(accountId, 1, uids.slice(0, 10_000), trash))
await measure('expunge, every other one', () =>
  store.expunge(
    accountId,
    1,
    uids.filter((uid) => uid % 2 === 0),
  ),
)
await measure('expunge, the rest', () => store.expunge(accountId, 1, uids))
clearInterval(ticker)
await store.close()
rmSync(folder, { recursive: true, force: true })
