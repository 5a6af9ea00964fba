import type { AddedDelta, Delta } from './delta.ts'

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
  a.uids.push(...b.uids)
  a.modseqs.push(...b.modseqs)
  a.flags.push(...b.flags)
  a.keywords.push(...b.keywords)
  a.octets.push(...b.octets)
  a.internalDates.push(...b.internalDates)
  a.emailIds.push(...b.emailIds)
  return { ...a, modseq: b.modseq, keywordNames: b.keywordNames ?? a.keywordNames }
}
