/**
 * COPY and MOVE: the messages get new UIDs in the target and stay the same emails. All of them or none, RFC 3501 §6.4.7;
 * a moved message is never in both mailboxes nor in neither, RFC 6851 §3.3.
 */
import { flagBits } from '../store.ts'
import type { Copied } from '../store.ts'
import type { AddedDelta } from './delta.ts'
import { removeSpan, countRemoved } from './expunge.ts'
import type { Removed } from './expunge.ts'
import { keywordBits, keywordNames } from './keywords.ts'
import { requireMailbox, takeUids } from './mailbox-row.ts'
import { requireRoom } from './quota.ts'
import type { Transaction } from './transaction.ts'
import { uidSpans } from './uid-spans.ts'
import { addPlaces } from './places.ts'

export interface CopyCall {
  readonly accountId: number
  readonly mailboxId: number
  readonly uids: ArrayLike<number>
  readonly targetMailboxId: number
}

/** A message that is put somewhere else. */
export interface Source {
  readonly uid: number
  readonly flags: number
  readonly keywords: number
  readonly octets: number
  readonly internalDate: number
  readonly email: number
}

export function copy(tx: Transaction, call: CopyCall): Copied {
  requireMailbox(tx, call.accountId, call.mailboxId)
  const target = requireMailbox(tx, call.accountId, call.targetMailboxId)
  const sources = readSources(tx, call)
  if (sources.length === 0) return { uidValidity: target.uidValidity, sourceUids: [], targetUids: [] }
  requireRoom(
    tx,
    call.accountId,
    sources.map(({ octets }) => octets),
  )
  const targetUids = put(tx, call, sources)
  countAdded(tx, call.accountId, sources)
  return { uidValidity: target.uidValidity, sourceUids: sources.map((source) => source.uid), targetUids }
}

export function move(tx: Transaction, call: CopyCall): Copied {
  const { accountId, mailboxId } = call
  requireMailbox(tx, accountId, mailboxId)
  const target = requireMailbox(tx, accountId, call.targetMailboxId)
  const sources = readSources(tx, call)
  if (sources.length === 0) return { uidValidity: target.uidValidity, sourceUids: [], targetUids: [] }
  const sourceUids = sources.map((source) => source.uid)
  const targetUids = put(tx, call, sources)
  const modseq = tx.nextNumber(accountId)
  const removed: Removed = { uids: [], unseen: 0, octets: 0 }
  for (const span of uidSpans(sourceUids)) {
    removeSpan(tx, { accountId, mailboxId, modseq, span, leaves: 'garbage' }, removed)
  }
  countRemoved(tx, accountId, mailboxId, modseq, removed, 'moved')
  return { uidValidity: target.uidValidity, sourceUids, targetUids }
}

/** What an account holds counts against its quota. */
export function countAdded(tx: Transaction, accountId: number, sources: readonly Source[]): void {
  tx.run(
    'UPDATE account_state SET used_octets = used_octets + ?, used_messages = used_messages + ? WHERE account = ?',
    sources.reduce((sum, { octets }) => sum + octets, 0),
    sources.length,
    accountId,
  )
}

function readSources(tx: Transaction, call: CopyCall): Source[] {
  const sources: Source[] = []
  for (const span of uidSpans(call.uids)) {
    const rows = tx.all<readonly [number, number, number, number, number, number]>(
      `SELECT uid, flags, keywords, octets, internal_date, email FROM message
        WHERE account = ? AND mailbox = ? AND ${span.where} ORDER BY uid`,
      ...[call.accountId, call.mailboxId, ...span.values],
    )
    for (const [uid, flags, keywords, octets, internalDate, email] of rows) {
      sources.push({ uid, flags, keywords, octets, internalDate, email })
    }
  }
  return sources
}

/** @param call `mailboxId` is the mailbox whose keywords the sources' bits mean. @returns The new UIDs. */
export function put(tx: Transaction, call: Omit<CopyCall, 'uids'>, sources: readonly Source[]): number[] {
  const { accountId, targetMailboxId } = call
  const modseq = tx.nextNumber(accountId)
  const taken = takeUids(tx, accountId, targetMailboxId, {
    count: sources.length,
    unseen: sources.filter((source) => (source.flags & flagBits['\\Seen']) === 0).length,
    octets: sources.reduce((sum, source) => sum + source.octets, 0),
    modseq,
  })!
  const translate = keywordTranslation(tx, call, sources)
  const uids = sources.map((_, i) => taken.firstUid + i)
  const delta: AddedDelta = {
    ...{ kind: 'added', accountId, mailboxId: targetMailboxId, modseq },
    uids,
    modseqs: sources.map(() => modseq),
    flags: sources.map((source) => source.flags),
    keywords: sources.map((source) => translate.bits(source.keywords)),
    octets: sources.map((source) => source.octets),
    internalDates: sources.map((source) => source.internalDate),
    emailIds: sources.map((source) => source.email),
    keywordNames: translate.names,
  }
  sources.forEach((source, i) => {
    const uid = uids[i]!
    tx.run(
      'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      accountId,
      targetMailboxId,
      uid,
      modseq,
      source.flags,
      delta.keywords[i]!,
      source.octets,
      source.internalDate,
      source.email,
    )
    addPlaces(tx, source.email, `${targetMailboxId}:${uid}`)
  })
  tx.deltas.push(delta)
  return uids
}

/** Keywords have other bits in the target; those for which it has none left are left out. */
function keywordTranslation(tx: Transaction, call: Omit<CopyCall, 'uids'>, sources: readonly Source[]) {
  const used = sources.reduce((bits, source) => bits | source.keywords, 0) >>> 0
  if (used === 0) return { bits: () => 0, names: null }
  const inSource = keywordNames(tx, call.accountId, call.mailboxId)
  const wanted = inSource.filter((_, bit) => (used >>> bit) & 1)
  const all = keywordBits(tx, call.accountId, call.targetMailboxId, wanted, 'leave-out')
  const inTarget = inSource.map((name) =>
    wanted.includes(name)
      ? keywordBits(tx, call.accountId, call.targetMailboxId, [name], 'leave-out').bits
      : 0,
  )
  const cache = new Map<number, number>()
  const bits = (from: number): number => {
    let to = cache.get(from)
    if (to === undefined) {
      to = inTarget.reduce((sum, bit, i) => ((from >>> i) & 1 ? sum | bit : sum), 0) >>> 0
      cache.set(from, to)
    }
    return to
  }
  return { bits, names: all.names }
}
