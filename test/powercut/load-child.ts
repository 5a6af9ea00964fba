/**
 * A whole store under load: letters of all sizes arrive, are flagged, moved, copied and expunged, queue rows are settled,
 * and meanwhile the housekeeping removes and rewrites segments.
 * Each step is marked before it is asked for and when it was answered.
 *
 * Arguments: folder, file of the marks, number of the first letter, how many, seed, and `kill` to end by SIGKILL.
 */
import assert from 'node:assert/strict'
import { openSync, writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { AccountUnknown, StoreUnavailable } from '../../src/store/errors.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Accepted } from '../../src/store/store.ts'
import { filing, itemOf, queueEntry } from '../store/letters.ts'
import { letterOf } from './letter.ts'
import type { Answer, Mark, Spot, Wish } from './marks.ts'
import { Chance } from './random.ts'
import type { TestDiskData } from './test-disk.ts'

const [folder, marksFile] = [process.argv[2]!, process.argv[3]!]
const [first, count, seed] = process.argv.slice(4, 7).map(Number) as [number, number, number]
const killed = process.argv[7] === 'kill'
const sessions = 12
/** What is expunged becomes garbage at once. */
const limits = { ...defaultLimits, undeleteMs: 1 }

const marks = openSync(marksFile, 'a')
const mark = (value: Mark): void => void writeSync(marks, `${JSON.stringify(value)}\n`)
const careless = (process.env['POWERCUT_CARELESS'] ?? null) as TestDiskData['careless']
const diskData: TestDiskData = { careless, failEvery: 8 }
const store = await openStore(
  {
    folder,
    limits,
    surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
  },
  {
    ...{ module: new URL('./test-disk.ts', import.meta.url).href, data: diskData },
    // Half of the time batches share commits.
    ...(new Chance(seed).below(2) === 0 ? { busyCalls: 0 } : {}),
  },
)
store.handOut({ reserve: () => ({ nowMs: Date.now(), leaseMs: 60_000 }), take() {} })
if ((await store.listDomains()).length === 0) {
  await store.addDomain('hamburger.example')
  for (let i = 0; i < 4; i++) await store.addAccount(`a${i}@hamburger.example`, null)
}
const accounts = (await store.listAccounts()).map(({ accountId }) => accountId)
const archives = new Map<number, number>()
for (const account of accounts)
  archives.set(account, (await store.findMailbox(account, 'Archive'))!.mailboxId)
let letters = 0
let steps = 0

/** @returns Null when the store refused. */
async function ask<Value>(
  wish: Wish,
  work: () => Promise<Value>,
  tell: (value: Value) => Answer,
): Promise<Value | null> {
  const id = `${first}.${++steps}`
  mark({ kind: 'try', id, wish })
  try {
    const value = await work()
    mark({ kind: 'ack', id, answer: tell(value) })
    return value
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    mark({ kind: 'refused', id })
    return null
  }
}

/** Asked once: while the tables are read, each batch has a commit of its own. */
const validities = new Map<string, number>()

async function validityOf(account: number, mailbox: number): Promise<number> {
  const key = `${account}:${mailbox}`
  if (!validities.has(key))
    for (const { mailboxId, uidValidity } of await store.listMailboxes(account))
      validities.set(`${account}:${mailboxId}`, uidValidity)
  return validities.get(key)!
}

async function accept(
  chance: Chance,
  settles: { account: number; queueId: number } | null,
): Promise<Accepted | null> {
  const letter = first + letters++
  const own = settles?.account ?? chance.pick(accounts)
  const others = accounts.filter((account) => account !== own)
  const to = chance.below(3) === 0 ? [own, chance.pick(others)] : [own]
  const queue = settles === null && chance.below(3) === 0
  const wish: Wish = { op: 'accept', letter, accounts: to, queue, settles: settles?.queueId ?? null }
  return ask(
    wish,
    async () => {
      const item = await itemOf(
        store,
        letterOf(letter),
        to.map((account) => filing(account)),
        queue ? [queueEntry(own)] : [],
      )
      const settle = settles === null ? [] : [settlement(settles.account, settles.queueId, true)]
      const [result] = await store.accept([{ ...item, settle }])
      if (result instanceof Error) throw result
      return result!
    },
    ({ filed, queueIds }) => ({
      spots: filed.map(({ accountId, mailboxId, uid, uidValidity, modseq }) => ({
        ...{ account: accountId, mailbox: mailboxId, uid, uidValidity, modseq },
      })),
      queueId: queueIds[0] ?? null,
    }),
  )
}

function settlement(accountId: number, queueId: number, done: boolean) {
  const state = done ? ('delivered' as const) : ('waiting' as const)
  return {
    ...{ accountId, queueId, nextAttemptAt: 5_000 },
    recipients: [{ forwardPath: 'alice@crepes.example', state, reply: '250 ok' }],
  }
}

async function change(chance: Chance, spot: Spot): Promise<Spot | null> {
  const { account, mailbox, uid } = spot
  const what = chance.below(10)
  if (what < 4) {
    const flags = chance.below(32)
    const set = { op: 'set', flags, keywords: [] } as const
    await ask(
      { op: 'flags', spot, flags },
      () => store.storeFlags(account, mailbox, [uid], set),
      ({ modseq }) => ({ modseq }),
    )
    return spot
  }
  if (what < 8) {
    const op = what < 6 ? 'move' : 'copy'
    const target = mailbox === 1 ? archives.get(account)! : 1
    const uidValidity = await validityOf(account, target)
    const result = await ask(
      { op, spot, target },
      () => store[op](account, mailbox, [uid], target),
      ({ targetUids }) => ({ spots: [{ account, mailbox: target, uid: targetUids[0]!, uidValidity }] }),
    )
    return result === null || op === 'copy' ? spot : { account, mailbox: target, uid: result.targetUids[0]! }
  }
  const gone = await ask(
    { op: 'expunge', spot },
    () => store.expunge(account, mailbox, [uid]),
    () => ({}),
  )
  return gone === null ? spot : null
}

/** A batch may consist of nothing but this. */
async function acceptForNobody(): Promise<void> {
  const [result] = await store.accept([await itemOf(store, letterOf(0), [filing(9_999)])])
  assert.ok(result instanceof AccountUnknown || result instanceof StoreUnavailable, result as Error)
}

async function session(number: number): Promise<void> {
  const chance = new Chance(seed + number)
  while (letters < count) {
    if (killed && letters > count / 2 && number === 0) process.kill(process.pid, 'SIGKILL')
    if (chance.below(8) === 0) await acceptForNobody()
    const accepted = await accept(chance, null)
    if (accepted === null) continue
    const queueId = accepted.queueIds[0]
    const account = accepted.filed[0]!.accountId
    for (const filed of accepted.filed) {
      let spot: Spot | null = { account: filed.accountId, mailbox: filed.mailboxId, uid: filed.uid }
      for (let i = chance.below(4); i > 0 && spot !== null; i--) spot = await change(chance, spot)
    }
    if (queueId !== undefined && chance.below(4) > 0) {
      // Given up for now, done, or delivered at home in the transaction that ends it.
      const how = chance.below(3)
      if (how === 2) await accept(chance, { account, queueId })
      else
        await ask(
          { op: 'settle', queueId, done: how === 1 },
          () => store.settle([settlement(account, queueId, how === 1)]),
          () => ({}),
        )
    }
    if (chance.below(30) === 0) {
      const name = `box-${letters}-${seed}-${number}`
      await ask(
        { op: 'create', account, name },
        () => store.createMailbox(account, name),
        ({ mailboxId }) => ({ mailbox: mailboxId }),
      )
    }
  }
}

let ended = false

async function cleanForEver(): Promise<void> {
  while (!ended && process.env['POWERCUT_CLEAN'] === '1') {
    // The disk fails for it, too.
    await store.clean().catch((error) => assert.ok(error instanceof StoreUnavailable, error))
    await wait(50)
  }
}

const cleaning = cleanForEver()
await Promise.all(Array.from({ length: sessions }, (_, number) => session(number)))
ended = true
await cleaning
await store.close()
