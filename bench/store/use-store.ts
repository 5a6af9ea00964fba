/** A store in this process, and letters for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Filed, Store } from '../../src/store/store.ts'
import { cpuByThread } from '../cpu.ts'

/** What mail brings along: Return-Path, Received, Authentication-Results. */
const prefix =
  `Return-Path: <alice@crepes.example>\r\nReceived: from mx.crepes.example ${'x'.repeat(280)}\r\n` +
  `Authentication-Results: mail.bench.test; ${'y'.repeat(220)}\r\n`

/** @param aheadMs How far its clock is ahead: what was expunged can be cleared away when its time is over. */
export function openAt(folder: string, aheadMs = 0): Promise<Store> {
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
  const surroundings = { clock, random: systemRandom, log: silentLog }
  return openStore({ folder, limits: defaultLimits, surroundings })
}

/** A folder that is gone when `work` has ended. */
export async function inTemporaryFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Accounts u1@bench.test and so on. @returns Their ids. */
export async function addAccounts(
  store: Store,
  count: number,
  passwordHash: string | null = null,
): Promise<number[]> {
  await store.addDomain('bench.test')
  const ids: number[] = []
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: Math.min(500, count - from) }, (_, i) => ({
      address: `u${from + i + 1}@bench.test`,
      passwordHash,
    }))
    ids.push(...(await store.addAccounts(some)).map(({ accountId }) => accountId))
  }
  return ids
}

const words = Array.from({ length: 20_000 }, (_, n) => wordOf(n))

/** A letter of that many octets whose words are as unevenly common as those of a language; another for each number. */
export function letterOf(n: number, octets: number): Buffer {
  let text =
    `From: Person ${n % 700} <person${n % 700}@crepes.example>\r\nTo: u1@bench.test\r\nSubject: Letter ${n}\r\n` +
    `Message-ID: <${n}.${(n * 7919) % 1_000_003}@crepes.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n` +
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
  let state = (n + 1) * 2_654_435_761
  for (let column = 0; text.length < octets - 12; ) {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0
    // The cube of what is evenly spread: some words in every letter, most in few.
    const word = words[Math.floor((state / 2 ** 32) ** 3 * words.length)]!
    column += word.length + 1
    text += word
    if (column > 66) {
      text += '\r\n'
      column = 0
    } else text += ' '
  }
  return Buffer.from(`${text}\r\n`, 'latin1')
}

/** Of the 20,000 words of the letters: the lower its number, the more of them have it. */
export function wordOf(n: number): string {
  const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'la', 'me', 'ni', 'po', 'ru', 'sa', 'te', 'vi', 'wo', 'zu']
  let word = ''
  for (let rest = n + 15; rest > 0; rest = Math.floor(rest / 15)) word += syllables[rest % 15]
  return word
}

/** As the doors do it: into a sink, through the scan, into the store. */
export async function deliver(store: Store, accountId: number, letter: Buffer): Promise<Filed> {
  const sink = store.openBody()
  sink.write(letter)
  const scanner = new MessageScanner()
  scanner.push(letter)
  const filing = { accountId, mailboxId: null, prefix, flags: 0, keywords: [] }
  const [result] = await store.accept([
    {
      body: await sink.finish(),
      scan: scanner.finish(),
      filings: [{ ...filing, internalDate: 1_770_000_000_000, journeyId: '0123456789abcdef' }],
      queue: [],
    },
  ])
  if (result instanceof Error) throw result
  return result!.filed[0]!
}

export interface Delivered {
  readonly perSecond: number
  readonly done: number
  /** Of each, milliseconds. */
  readonly latencies: readonly number[]
  /** CPU µs for each, by thread. */
  readonly mainUs: number
  readonly writerUs: number
  readonly searchUs: number
}

/** So many that each wait for their answer, until `goesOn` says no. */
export async function deliverWhile(
  store: Store,
  deliverers: number,
  accounts: readonly number[],
  letters: readonly Buffer[],
  goesOn: () => boolean,
): Promise<Delivered> {
  const latencies: number[] = []
  let n = 0
  const before = cpuByThread(process.pid)
  const begin = performance.now()
  const one = async (): Promise<void> => {
    while (goesOn()) {
      const at = performance.now()
      await deliver(
        store,
        accounts[Math.floor(Math.random() * accounts.length)]!,
        letters[n++ % letters.length]!,
      )
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: deliverers }, one))
  const seconds = (performance.now() - begin) / 1_000
  const after = cpuByThread(process.pid)
  const done = latencies.length
  const us = (name: string) => (((after.get(name) ?? 0) - (before.get(name) ?? 0)) / done) * 1e6
  return {
    ...{ perSecond: done / seconds, done, latencies },
    ...{ mainUs: us('node-MainThread'), writerUs: us('writer-thread'), searchUs: us('search-thread') },
  }
}

/** For `deliverWhile`. */
export function forSeconds(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1_000
  return () => performance.now() < end
}

/** Until the index of the search is up to the messages. */
export async function untilIndexed(store: Store): Promise<void> {
  while ((await store.searchStatus()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 100))
}
