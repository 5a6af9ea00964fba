/**
 * SEARCH in a mailbox of 100,000 messages: what a search takes, what the index costs, how long it lags. The figures of
 * the design's goals stand beside them. `--messages N` for fewer, `--json`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../src/base/clock.ts'
import { defaultLimits } from '../src/base/limits.ts'
import { silentLog } from '../src/base/log.ts'
import { systemRandom } from '../src/base/random.ts'
import { MessageScanner } from '../src/message/scan.ts'
import { openStore } from '../src/store/open.ts'
import type { SearchCriterion } from '../src/store/search.ts'
import { Searcher } from '../src/store/search/searcher.ts'
import type { Store } from '../src/store/store.ts'
import { gatherText, makeLetters } from './letters.ts'

const argument = process.argv.indexOf('--messages')
const count = argument < 0 ? 100_000 : Number(process.argv[argument + 1])
const text = (needle: string): SearchCriterion[] => [{ field: 'text', needle }]
const searches: readonly [string, SearchCriterion[]][] = [
  ['a rare word', text('transubstantiate')],
  ['a word', text('ownership')],
  ['a common word', text('function')],
  ['a piece of words', text('romis')],
  ['two words', text('free software')],
  ['three words', text('in the hope')],
  ['a number', text('20260')],
  ['two letters', text('zq')],
  ['Chinese, two characters', text('会议')],
  ['Chinese, five characters', text('会议改到明')],
  ['SUBJECT', [{ field: 'header', name: 'subject', needle: 'letter 4711' }]],
  ['FROM', [{ field: 'header', name: 'from', needle: 'person69@' }]],
  ['HEADER Message-ID', [{ field: 'header', name: 'message-id', needle: 'ABCDEF' }]],
  ['two keys at once', [...text('license'), { field: 'header', name: 'from', needle: 'person 69' }]],
]

const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-search-'))
const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
const report: Record<string, number> = {}

function say(name: string, value: number, unit: string, goal = ''): void {
  report[name] = value
  console.log(`${name.padEnd(44)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(6)} ${goal}`)
}

async function fill(store: Store, accountId: number): Promise<Float64Array> {
  const source = gatherText(['/usr/share/doc', join(import.meta.dirname, '../node_modules')])
  const emailIds = new Float64Array(count)
  let done = 0
  const letters = makeLetters(source, count)
  const deliver = async (): Promise<void> => {
    for (let next = letters.next(); next.done !== true; next = letters.next()) {
      const place = done++
      const scanner = new MessageScanner()
      scanner.push(next.value)
      const sink = store.openBody()
      await sink.write(next.value)
      const filing = { accountId, mailboxId: null, prefix: '', flags: 0, keywords: [], internalDate: 0 }
      const item = {
        ...{ body: await sink.finish(), scan: scanner.finish() },
        ...{ filings: [{ ...filing, journeyId: null }], queue: [] },
      }
      const [result] = await store.accept([item])
      if (result instanceof Error) throw result
      emailIds[place] = result!.filed[0]!.emailId
    }
  }
  await Promise.all(Array.from({ length: 100 }, deliver))
  return emailIds
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

async function measureSearches(store: Store, accountId: number, emailIds: Float64Array): Promise<void> {
  for (const [name, criteria] of searches) {
    const times: number[] = []
    const work: number[] = []
    let hits = 0
    for (let round = 0; round < 7; round++) {
      const begin = performance.now()
      const before = process.cpuUsage()
      hits = (await store.search(accountId, { emailIds, criteria })).length
      times.push(performance.now() - begin)
      const { user, system } = process.cpuUsage(before)
      work.push((user + system) / 1_000)
    }
    // Others work on the same machine: the CPU of all threads is the steadier figure.
    const cpu = `CPU ${median(work).toFixed(1)} ms`
    say(`SEARCH ${name}, ${hits} found`, median(times), 'ms', `${cpu.padEnd(14)} goal <= 50 ms typical`)
  }
}

/** Without an index: what a search reads, and how long it takes until the index has it. */
async function measureFirst(store: Store, accountId: number, emailIds: Float64Array): Promise<void> {
  for (const name of ['SUBJECT', 'a rare word']) {
    const criteria = searches.find(([one]) => one === name)![1]
    const asked = performance.now()
    await store.search(accountId, { emailIds, criteria })
    say(`first SEARCH ${name}`, performance.now() - asked, 'ms')
  }
  const answered = performance.now()
  while ((await store.searchStatus()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 50))
  say('until the index has it', performance.now() - answered, 'ms')
}

/** On this thread, alone, from nothing: only so can its CPU be told from others'. */
function measureIndexing(): void {
  const shard = join(folder, 'data', 'shard-00')
  for (const end of ['', '-wal', '-shm']) rmSync(join(shard, `fts.db${end}`), { force: true })
  let rested = false
  const searcher = new Searcher({ folder: shard, seed: 7, everybody: true }, (reply) => {
    if (reply.kind === 'rested') rested = true
  })
  const before = process.cpuUsage()
  const steps: number[] = []
  while (!rested) {
    const begin = performance.now()
    searcher.step()
    steps.push(performance.now() - begin)
  }
  const { user, system } = process.cpuUsage(before)
  steps.sort((a, b) => a - b)
  searcher.close()
  const octets = statSync(join(shard, 'fts.db')).size
  say('CPU to index a message (2 KB of text, header)', (user + system) / count, 'µs', 'goal <= 100 per 2 KB')
  say('one batch, 50th percentile', steps[steps.length >> 1]!, 'ms')
  say('one batch, 99th percentile', steps[Math.floor(steps.length * 0.99)]!, 'ms')
  say('one batch, longest', steps.at(-1)!, 'ms')
  say('size of the index per 1,000 messages', octets / count, 'KB')
}

try {
  const store = await openStore({ folder: join(folder, 'data'), limits: defaultLimits, surroundings })
  await store.addDomain('bench.test')
  const { accountId } = await store.addAccount('u1@bench.test', null)
  const begin = performance.now()
  const emailIds = await fill(store, accountId)
  say('deliveries a second, nobody has searched', (count / (performance.now() - begin)) * 1_000, '/s')
  await measureFirst(store, accountId, emailIds)
  const status = await store.searchStatus()
  say('words', status.words, '')
  say('list of words in memory', status.wordOctets / 1_048_576, 'MB')
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await measureSearches(store, accountId, emailIds)
  delay.disable()
  say("sockets' thread meanwhile, 99th percentile", delay.percentile(99) / 1e6, 'ms', '1 ms is the timer')
  const plain = performance.now()
  await store.search(accountId, { emailIds, criteria: text('ownership'), plain: true })
  say('the same by reading all messages', performance.now() - plain, 'ms')
  await store.close()
  measureIndexing()
  if (process.argv.includes('--json')) console.log(JSON.stringify(report))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
