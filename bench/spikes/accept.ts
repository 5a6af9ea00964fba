/**
 * How many messages of 10 KB the store accepts a second, with so many deliverers that each wait for their answer; and
 * what that costs the sockets' thread. `node bench/spikes/accept.ts [accounts] [seconds]`
 */
import { rmSync } from 'node:fs'
import { threadCpuUsage } from 'node:process'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'

const accounts = Number(process.argv[2] ?? 100)
const seconds = Number(process.argv[3] ?? 4)
const folder = '/work/spike-accept'
rmSync(folder, { recursive: true, force: true })
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const store = await openStore({ folder, limits: defaultLimits, surroundings })
await store.addDomain('d.example')
const added = await store.addAccounts(
  Array.from({ length: accounts }, (_, i) => ({ address: `a${i}@d.example`, passwordHash: null })),
)
const prefix = `Return-Path: <alice@crepes.example>\r\nReceived: ${'x'.repeat(300)}\r\nAuthentication-Results: ${'y'.repeat(250)}\r\n`
const letter = (n: number) =>
  Buffer.from(
    `From: Alice <alice@crepes.example>\r\nTo: Bob <bob@d.example>\r\nSubject: letter ${n}\r\nMessage-ID: <${n}@crepes.example>\r\nDate: Mon, 1 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n` +
      `${'The quick brown fox jumps over the lazy dog, seventy octets a line.\r\n'.repeat(140)}`,
  )
let n = 0
const sample = letter(0)
async function deliver(scanToo: boolean): Promise<void> {
  const octets = scanToo ? letter(++n) : sample
  const sink = store.openBody()
  sink.write(octets)
  const scanner = new MessageScanner()
  scanner.push(octets)
  const scan = scanner.finish()
  const account = added[Math.floor(Math.random() * accounts)]!
  const [result] = await store.accept([
    {
      body: await sink.finish(),
      scan,
      filings: [
        {
          ...{ accountId: account.accountId, mailboxId: null, prefix, flags: 0, keywords: [] },
          ...{ internalDate: 1_770_000_000_000, journeyId: '0123456789abcdef' },
        },
      ],
      queue: [],
    },
  ])
  if (result instanceof Error) throw result
}

const scanner = new MessageScanner()
const t = performance.now()
for (let i = 0; i < 2_000; i++) {
  const one = new MessageScanner()
  one.push(letter(i))
  one.finish()
}
console.log('letter and scan alone', (((performance.now() - t) / 2_000) * 1000).toFixed(1), 'us')
void scanner
for (const deliverers of [1, 10, 100, 1000]) {
  let done = 0
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  const cpu = process.cpuUsage()
  const own = threadCpuUsage()
  const start = performance.now()
  await Promise.all(
    Array.from({ length: deliverers }, async () => {
      while (performance.now() < end) {
        const at = performance.now()
        await deliver(true)
        latencies.push(performance.now() - at)
        done++
      }
    }),
  )
  const wall = performance.now() - start
  const used = process.cpuUsage(cpu)
  const main = threadCpuUsage(own)
  latencies.sort((a, b) => a - b)
  const us = (value: number) => (value / done).toFixed(1)
  console.log(
    `${deliverers} deliverers: ${Math.round((done / wall) * 1000)}/s, CPU ${us(used.user + used.system)} us (main ${us(main.user + main.system)}), p50 ${latencies[done >> 1]!.toFixed(1)} p99 ${latencies[Math.floor(done * 0.99)]!.toFixed(1)} ms`,
  )
}
const closing = performance.now()
await store.close()
console.log('close', Math.round(performance.now() - closing), 'ms')
rmSync(folder, { recursive: true, force: true })
