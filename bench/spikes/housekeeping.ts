/**
 * What a pass of the housekeeping costs those who deliver meanwhile, and what compressing saves. Letters of 10 KB: windows
 * of documentation, every tenth with an attachment in base64 instead. Closed loop of 50 in this process, no SMTP.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { Account } from '../../src/store/accounts.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Filing } from '../../src/store/store.ts'

const letters = Number(process.argv[2] ?? 30_000)
const octets = 10_000
const sessions = 50
const rounds = 3
const folder = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'posthorn-housekeeping-'))
/** Begins a pass as the hour does. */
let timers: (() => void)[] = []
const clock: Clock = {
  ...systemClock,
  after(delayMs, callback) {
    if (delayMs >= 5 * 60_000) timers.push(callback)
    return () => {}
  },
}
const limits = { ...defaultLimits, cleanGarbageOctets: 2 ** 50 }
const store = await openStore({
  folder,
  limits,
  surroundings: { clock, random: systemRandom, log: silentLog },
})
await store.addDomain('hamburger.example')
const accounts: Account[] = []
for (let i = 0; i < 100; i++) accounts.push(await store.addAccount(`a${i}@hamburger.example`, null))

const corpus = Buffer.concat(
  readdirSync('node_modules', { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(md|txt|html)$/i.test(name))
    .slice(0, 400)
    .map((name) => readFileSync(join('node_modules', name))),
)
const texts = Array.from({ length: 2_000 }, (_, i) => {
  const head = `From: alice${i}@crepes.example\r\nTo: bob@hamburger.example\r\nSubject: letter ${i}\r\n\r\n`
  if (i % 10 === 0) {
    const attachment = Buffer.from(systemRandom.bytes(7_000)).toString('base64')
    return Buffer.from(`${head}${attachment.replace(/(.{76})/g, '$1\r\n')}`)
  }
  const from = (i * 7_919) % (corpus.length - octets)
  return Buffer.concat([Buffer.from(head), corpus.subarray(from, from + octets)])
})

let sent = 0
async function deliver(): Promise<void> {
  const i = sent++
  const text = texts[i % texts.length]!
  const scanner = new MessageScanner()
  scanner.push(text)
  const sink = store.openBody()
  await sink.write(text)
  const filing: Filing = {
    ...{ accountId: accounts[i % 100]!.accountId, mailboxId: null, prefix: '', flags: 0, keywords: [] },
    ...{ internalDate: Date.now(), journeyId: null },
  }
  const item = { body: await sink.finish(), scan: scanner.finish(), filings: [filing], queue: [] }
  const [result] = await store.accept([item])
  if (result instanceof Error) throw result
}

/** Delivers until it is over. @returns Letters a second, and the longest and 99th percentile of waiting. */
async function load(until: () => boolean): Promise<string> {
  const waits: number[] = []
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: sessions }, async () => {
      while (!until()) {
        const at = performance.now()
        await deliver()
        waits.push(performance.now() - at)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  waits.sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)]!
  return `${(waits.length / seconds).toFixed(0)}/s, p99 ${p99.toFixed(0)} ms, max ${waits.at(-1)!.toFixed(0)} ms, ${seconds.toFixed(1)} s`
}

const forSeconds = (seconds: number) => {
  const end = performance.now() + seconds * 1_000
  return () => performance.now() > end
}
const fill = async () => {
  const end = sent + letters
  await load(() => sent >= end)
}

for (let round = 0; round < rounds; round++) {
  await fill()
  console.log(`without a pass      ${await load(forSeconds(6))}`)
  let done = false
  const cleaning = store.clean().then((report) => {
    done = true
    return report
  })
  const end = forSeconds(6)
  console.log(`during one by hand  ${await load(() => done || end())}`)
  const report = await cleaning
  const ratio = report.octetsRead / report.octetsWritten
  console.log(`  ${report.segmentsRewritten} segments, ratio ${ratio.toFixed(2)}`)
  await fill()
  const due = timers
  timers = []
  for (const begin of due) begin()
  console.log(`during one by time  ${await load(forSeconds(6))}`)
}
const alone = process.cpuUsage()
await fill()
const before = process.cpuUsage(alone)
const at = performance.now()
const cpu = process.cpuUsage()
const report = await store.clean()
const used = process.cpuUsage(cpu)
console.log(
  `alone: ${(report.octetsRead / 1e6).toFixed(0)} MB in ${((performance.now() - at) / 1_000).toFixed(1)} s, ` +
    `${((used.user + used.system) / (report.octetsRead / octets)).toFixed(0)} µs CPU for 10 KB, ` +
    `ratio ${(report.octetsRead / report.octetsWritten).toFixed(2)}; a delivery ${((before.user + before.system) / letters).toFixed(0)} µs`,
)
console.log(await store.stat())
await store.close()
rmSync(folder, { recursive: true, force: true })
