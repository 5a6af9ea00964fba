/** Opens what a power cut left and compares it with what had been acknowledged. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { Email, Mailbox, Store } from '../../src/store/store.ts'
import { put } from '../store/letters.ts'
import type { Ledger } from './ledger.ts'
import { keyOf } from './ledger.ts'
import { letterOf, numberOf } from './letter.ts'
import type { Spot } from './marks.ts'

interface Found {
  readonly spot: Spot
  readonly letter: number
  readonly flags: number
}

export class Verdict {
  /** Acknowledgements that were looked after. */
  checks = 0
  readonly losses: string[] = []

  check(holds: boolean, text: string): void {
    this.checks++
    if (!holds) this.losses.push(text)
  }
}

export async function checkImage(folder: string, ledger: Ledger): Promise<Verdict> {
  const verdict = new Verdict()
  let store: Store
  try {
    store = await openStore({
      ...{ folder, limits: defaultLimits },
      surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
    })
  } catch (error) {
    verdict.check(false, `the store does not open: ${String(error)}`)
    verdict.checks += ledger.spots.size
    return verdict
  }
  try {
    const mailboxes: Mailbox[] = []
    for (const { accountId } of await store.listAccounts())
      mailboxes.push(...(await store.listMailboxes(accountId)))
    const found = new Map<string, Found>()
    for (const mailbox of mailboxes) await readMailbox(store, mailbox, found, verdict)
    checkSpots(ledger, found, verdict)
    checkRest(ledger, found, verdict)
    await checkQueue(store, ledger, found, verdict)
    checkMailboxes(ledger, mailboxes, verdict)
    await checkNewMail(store, ledger, mailboxes, verdict)
  } catch (error) {
    verdict.check(false, `the store cannot be read: ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    await store.close()
  }
  checkTables(folder, verdict)
  return verdict
}

async function readMailbox(
  store: Store,
  { accountId: account, mailboxId: mailbox, total }: Mailbox,
  found: Map<string, Found>,
  verdict: Verdict,
): Promise<void> {
  const index = await store.loadIndex(account, mailbox)
  verdict.check(
    index.length === total,
    `mailbox ${account}:${mailbox} counts ${total} and has ${index.length}`,
  )
  const rows = Array.from({ length: index.length }, (_, row) => row)
  const emails: (Email | null)[] = []
  for (let at = 0; at < rows.length; at += 500)
    emails.push(
      ...(await store.getEmails(account, [...index.emailIds.subarray(at, Math.min(at + 500, rows.length))])),
    )
  await Promise.all(
    rows.map(async (row) => {
      const spot = { account, mailbox, uid: index.uids[row]! }
      const flags = index.flags[row]!
      let letter = Number.NaN
      try {
        const octets = await store.readBody(emails[row]!.body, 0, 1e6)
        const number = numberOf(octets)
        if (letterOf(number).equals(octets)) letter = number
        else verdict.check(false, `the body of ${keyOf(spot)} is not what was sent`)
      } catch (error) {
        verdict.check(false, `the body of ${keyOf(spot)} cannot be read: ${String(error)}`)
      }
      found.set(keyOf(spot), { spot, letter, flags })
    }),
  )
  index.release()
}

/** What was acknowledged is there, as it was last acknowledged; what it may have become meanwhile is right as well. */
function checkSpots(ledger: Ledger, found: Map<string, Found>, verdict: Verdict): void {
  for (const [key, kept] of ledger.spots) {
    const here = found.get(key)
    const { pending } = kept
    const mayBeGone = pending !== null && (pending.op === 'move' || pending.op === 'expunge')
    verdict.checks += kept.acks - 1
    if (here === undefined) {
      verdict.check(
        mayBeGone && movedOnce(kept.letter, pending, found, ledger),
        `letter ${kept.letter} is lost at ${key}`,
      )
      continue
    }
    const flagsRight = here.flags === kept.flags || (pending?.op === 'flags' && here.flags === pending.flags)
    // A body that is damaged has been counted where it was read.
    const same = here.letter === kept.letter || Number.isNaN(here.letter)
    verdict.check(
      same && flagsRight,
      `at ${key} is letter ${here.letter} with flags ${here.flags}, not ${kept.letter}, ${kept.flags}`,
    )
  }
  for (const [key, letter] of ledger.gone)
    verdict.check(!found.has(key), `letter ${letter} is back at ${key}, which it had left`)
}

function movedOnce(
  letter: number,
  wish: { readonly op: string; readonly spot?: Spot; readonly target?: number },
  found: Map<string, Found>,
  ledger: Ledger,
): boolean {
  if (wish.op === 'expunge') return true
  return [...found.values()].some(
    (other) =>
      other.letter === letter &&
      other.spot.account === wish.spot!.account &&
      other.spot.mailbox === wish.target &&
      !ledger.spots.has(keyOf(other.spot)),
  )
}

/** What is there beyond that is the work of a step that had not been answered, whole and once. */
function checkRest(ledger: Ledger, found: Map<string, Found>, verdict: Verdict): void {
  const extra = [...found.values()].filter(({ spot }) => !ledger.spots.has(keyOf(spot)))
  const explained = new Set<Found>()
  for (const wish of ledger.open.values()) {
    if (wish.op === 'accept') {
      const mine = extra.filter(({ letter }) => letter === wish.letter)
      for (const one of mine) explained.add(one)
      verdict.check(
        mine.length === 0 || mine.length === wish.accounts.length,
        `letter ${wish.letter} came in part`,
      )
    } else if (wish.op === 'move' || wish.op === 'copy') {
      const kept = ledger.spots.get(keyOf(wish.spot))
      const mine = extra.filter(
        ({ letter, spot }) =>
          letter === kept?.letter && spot.account === wish.spot.account && spot.mailbox === wish.target,
      )
      for (const one of mine) explained.add(one)
      verdict.check(mine.length <= 1, `letter ${kept?.letter} is there twice`)
      if (wish.op === 'move' && mine.length === 1)
        verdict.check(
          !found.has(keyOf(wish.spot)),
          `letter ${kept?.letter} was moved and is in both mailboxes`,
        )
    }
  }
  for (const one of extra) {
    if (!explained.has(one))
      verdict.check(false, `letter ${one.letter} is at ${keyOf(one.spot)}, where nobody put it`)
  }
}

async function checkQueue(
  store: Store,
  ledger: Ledger,
  found: Map<string, Found>,
  verdict: Verdict,
): Promise<void> {
  const rows = new Map((await store.listQueue(1_000_000)).map((row) => [row.queueId, row]))
  for (const [queueId, { state, letter, pending }] of ledger.queue) {
    const row = rows.get(queueId)
    const now = row === undefined ? 'gone' : row.attempts > 0 ? 'tried' : 'waiting'
    const may: string[] = [state]
    if (pending?.op === 'settle') may.push(pending.done ? 'gone' : 'tried')
    if (pending?.op === 'accept') {
      // Delivery at home: the letter came in the transaction in which the row went.
      const came = [...found.values()].some((one) => one.letter === pending.letter)
      verdict.check(came === (now === 'gone'), `queue row ${queueId} and letter ${pending.letter} disagree`)
      may.push('gone')
    }
    verdict.check(may.includes(now), `queue row ${queueId} is ${now} and should be ${may.join(' or ')}`)
    if (row === undefined) continue
    const octets = await store.readBody(row.body, 0, 1e6).catch(() => Buffer.alloc(0))
    verdict.check(letterOf(letter).equals(octets), `queue row ${queueId} has lost its body`)
  }
}

function checkMailboxes(ledger: Ledger, mailboxes: readonly Mailbox[], verdict: Verdict): void {
  for (const [key, { highest, uidValidity }] of ledger.uids) {
    const mailbox = mailboxes.find((one) => `${one.accountId}:${one.mailboxId}` === key)
    verdict.check(
      mailbox !== undefined && mailbox.uidNext > highest && mailbox.uidValidity === uidValidity,
      `mailbox ${key}: UIDNEXT ${mailbox?.uidNext} after UID ${highest}, or another UIDVALIDITY`,
    )
  }
  for (const [key, mailboxId] of ledger.boxes) {
    const there = mailboxes.some(
      (one) => `${one.accountId}/${one.name}` === key && one.mailboxId === mailboxId,
    )
    verdict.check(there, `mailbox ${key} is lost`)
  }
}

async function checkNewMail(
  store: Store,
  ledger: Ledger,
  mailboxes: readonly Mailbox[],
  verdict: Verdict,
): Promise<void> {
  if (mailboxes.length === 0) {
    if ((await store.listDomains()).length === 0) await store.addDomain('hamburger.example')
    await store.addAccount('new@hamburger.example', null)
  }
  const { accountId } = (await store.listAccounts())[0]!
  const before = mailboxes.find((one) => one.accountId === accountId && one.name === 'INBOX')
  const filed = await put(store, accountId)
  await put(store, accountId, {}, letterOf(7).toString('latin1'))
  verdict.check(filed.uid >= (before?.uidNext ?? 1), `a UID is used again: ${filed.uid}`)
  verdict.check(
    filed.modseq > (ledger.modseqs.get(accountId) ?? 0),
    `a MODSEQ is used again: ${filed.modseq}`,
  )
}

function checkTables(folder: string, verdict: Verdict): void {
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'))
  const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
  db.close()
  verdict.check(rows[0]?.integrity_check === 'ok', `integrity_check: ${rows[0]?.integrity_check}`)
}
