import type { AddedDelta, Column, Delta } from './delta.ts'

/** Deliveries of one batch to one mailbox become one delta: fewer to copy, fewer wake-ups of its sessions. */
export function mergeDeltas(deltas: readonly Delta[]): Delta[] {
  if (deltas.length < 2) return [...deltas]
  const merged: Delta[] = []
  /** Where the latest delta of a mailbox is, when that is of the kind `added`. */
  const open = new Map<string, number>()
  for (const delta of deltas) {
    const key = `${delta.accountId}:${delta.mailboxId}`
    const at = open.get(key)
    if (delta.kind !== 'added') {
      open.delete(key)
      merged.push(delta)
    } else if (at === undefined) {
      open.set(key, merged.length)
      merged.push(delta)
    } else {
      merged[at] = join(merged[at] as AddedDelta, delta)
    }
  }
  return merged
}

function join(a: AddedDelta, b: AddedDelta): AddedDelta {
  return {
    ...a,
    modseq: b.modseq,
    uids: concat(a.uids, b.uids),
    modseqs: concat(a.modseqs, b.modseqs),
    flags: concat(a.flags, b.flags),
    keywords: concat(a.keywords, b.keywords),
    octets: concat(a.octets, b.octets),
    internalDates: concat(a.internalDates, b.internalDates),
    emailIds: concat(a.emailIds, b.emailIds),
    keywordNames: b.keywordNames ?? a.keywordNames,
  }
}

/** The first one is an array of our own, still short: it grows in place. */
function concat(a: Column, b: Column): Column {
  if (!Array.isArray(a)) return [...a, ...b]
  for (let i = 0; i < b.length; i++) a.push(b[i]!)
  return a
}

/** Over this a typed array is quicker to hand over: 100,000 numbers take 25 ms as an array. */
const shortColumn = 256

/** Ready to be sent to another thread. */
export function packDelta(delta: Delta): Delta {
  if (delta.kind === 'mailboxes' || delta.uids.length <= shortColumn) return delta
  if (delta.kind === 'expunged') return { ...delta, uids: Uint32Array.from(delta.uids) }
  const shared = {
    uids: Uint32Array.from(delta.uids),
    flags: Uint8Array.from(delta.flags),
    keywords: Uint32Array.from(delta.keywords),
  }
  if (delta.kind === 'flags') return { ...delta, ...shared }
  return {
    ...delta,
    ...shared,
    modseqs: Float64Array.from(delta.modseqs),
    octets: Uint32Array.from(delta.octets),
    internalDates: Float64Array.from(delta.internalDates),
    emailIds: Float64Array.from(delta.emailIds),
  }
}
