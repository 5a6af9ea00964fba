/**
 * What a backup costs who delivers meanwhile: accepts a second without it and while it runs, how long it takes, and the
 * same for `verify`. `node bench/spikes/backup.ts [megabytes] [deliverers]`; the folder is in PH_SPIKE, else in /work.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { backUp, verifyStore } from '../../src/store/backup.ts'
import { openStore } from '../../src/store/open.ts'
import { restoreAll } from '../../src/store/sqlite/backup/restore-all.ts'

const megabytes = Number(process.argv[2] ?? 1_000)
const deliverers = Number(process.argv[3] ?? 100)
const root = join(process.env['PH_SPIKE'] ?? '/work', 'spike-backup')
rmSync(root, { recursive: true, force: true })
const data = join(root, 'data')
const { mkdirSync } = await import('node:fs')
mkdirSync(root)
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const store = await openStore({ folder: data, limits: defaultLimits, surroundings })
await store.addDomain('d.example')
const accounts = await store.addAccounts(
  Array.from({ length: 100 }, (_, i) => ({ address: `a${i}@d.example`, passwordHash: null })),
)
const prefix = `Return-Path: <alice@crepes.example>\r\nReceived: ${'x'.repeat(300)}\r\n`
let number = 0
let latencies: number[] = []

async function deliver(): Promise<void> {
  const n = ++number
  const octets = Buffer.from(
    `From: Alice <alice@crepes.example>\r\nSubject: letter ${n}\r\nMessage-ID: <${n}@crepes.example>\r\n\r\n` +
      'The quick brown fox jumps over the lazy dog, seventy octets a line.\r\n'.repeat(140),
  )
  const startedAt = performance.now()
  const scanner = new MessageScanner()
  scanner.push(octets)
  const sink = store.openBody()
  sink.write(octets)
  const filing = { accountId: accounts[n % 100]!.accountId, mailboxId: null, prefix, flags: 0, keywords: [] }
  const item = { body: await sink.finish(), scan: scanner.finish(), queue: [] }
  const [result] = await store.accept([
    { ...item, filings: [{ ...filing, internalDate: 1_770_000_000_000, journeyId: null }] },
  ])
  if (result instanceof Error) throw result
  latencies.push(performance.now() - startedAt)
}

/** Delivers until the work has ended. */
async function during(what: string, work: Promise<unknown>): Promise<void> {
  let running = true
  const ended = work.finally(() => {
    running = false
  })
  latencies = []
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: deliverers }, async () => {
      while (running) await deliver()
    }),
  )
  await ended
  const seconds = (performance.now() - startedAt) / 1_000
  latencies.sort((a, b) => a - b)
  const p = (share: number) => latencies[Math.floor((latencies.length - 1) * share)]!.toFixed(1)
  console.log(
    `${what}: ${(latencies.length / seconds).toFixed(0)} accepts/s, p50 ${p(0.5)} ms, p99 ${p(0.99)} ms, worst ${p(1)} ms`,
  )
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const filling = megabytes * 100
await Promise.all(
  Array.from({ length: deliverers }, async () => {
    while (number < filling) await deliver()
  }),
)
const size = readdirSync(join(data, 'shard-00/seg')).reduce(
  (sum, name) => sum + statSync(join(data, 'shard-00/seg', name)).size,
  0,
)
console.log(
  `${number} messages, ${(size / 1e6).toFixed(0)} MB of segments, meta.db ${(statSync(join(data, 'shard-00/meta.db')).size / 1e6).toFixed(0)} MB`,
)
await during('nothing else', pause(5_000))
for (const name of ['first backup', 'second backup']) {
  const request = { folder: join(root, 'kept'), keep: null, journeys: false, link: false }
  const startedAt = performance.now()
  const work = backUp(store, data, systemClock, request, () => {})
  await during(name, work)
  const { octetsWritten } = await work
  const seconds = (performance.now() - startedAt) / 1_000
  console.log(
    `  ${(octetsWritten / 1e6).toFixed(0)} MB written in ${seconds.toFixed(1)} s: ${(octetsWritten / 1e6 / seconds).toFixed(0)} MB/s`,
  )
}
const verifying = verifyStore(store, data, false, () => {})
await during('verify', verifying)
const report = await verifying
console.log(
  `  ${(report.octets / 1e6).toFixed(0)} MB in ${(report.tookMs / 1_000).toFixed(1)} s; problems: ${report.problems.length}`,
)
await during('nothing else', pause(5_000))
await store.close()
let startedAt = performance.now()
const idle = await verifyStore(null, data, false, () => {})
console.log(
  `verify alone: ${(idle.octets / 1e6 / ((performance.now() - startedAt) / 1_000)).toFixed(0)} MB/s`,
)
startedAt = performance.now()
const asked = { folder: join(root, 'kept'), at: null, into: join(root, 'restored') }
const restored = restoreAll(
  { ...asked, keepUidValidity: false, withoutQueue: false, nowMs: Date.now() },
  () => {},
)
console.log(
  `restore alone: ${(restored.octets / 1e6 / ((performance.now() - startedAt) / 1_000)).toFixed(0)} MB/s`,
)
rmSync(root, { recursive: true, force: true })
