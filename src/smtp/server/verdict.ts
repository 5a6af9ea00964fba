/** What the filters together want done with a message, and doing it to what the door knows of it. */
import { resolveRecipient } from '../../delivery/resolve-recipient.ts'
import type { PlannedRecipient } from '../../delivery/plan.ts'
import { normaliseAddress } from '../../store/address.ts'
import type { NamedEnding } from './filters.ts'
import type { Session } from './session.ts'

export interface Verdict {
  /** The filter that had it thrown away; null: it is kept. */
  readonly discardedBy: string | null
  /** Why it is junk; null: it is not. */
  readonly junk: string | null
  /** The message comes from the domain of its reverse-path. */
  readonly senderProven: boolean
  /** To stand above the message, each with its CRLF. */
  readonly fields: readonly string[]
  /** Instead of the message received: the last one that a filter gave. */
  readonly message: Uint8Array | null
  /** Null: as MAIL said. */
  readonly reversePath: string | null
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

const nothingWanted: Verdict = {
  discardedBy: null,
  junk: null,
  senderProven: false,
  fields: [],
  message: null,
  reversePath: null,
  added: [],
  removed: [],
}

/** @throws {Refusal} When one of them refuses it. */
export function combine(endings: readonly NamedEnding[]): Verdict {
  if (endings.length === 0) return nothingWanted
  const refusing = endings.find(({ refusal }) => refusal !== undefined)
  if (refusing?.refusal !== undefined) throw refusing.refusal
  return {
    discardedBy: endings.find(({ discard }) => discard === true)?.filter ?? null,
    junk: endings.find(({ junk }) => junk !== undefined)?.junk ?? null,
    senderProven: endings.some(({ senderProven }) => senderProven === true),
    fields: endings.flatMap(({ fields }) => fields ?? []),
    message: endings.findLast(({ message }) => message !== undefined)?.message ?? null,
    reversePath: endings.findLast(({ reversePath }) => reversePath !== undefined)?.reversePath ?? null,
    added: endings.flatMap(({ addRecipients }) => addRecipients ?? []),
    removed: endings.flatMap(({ removeRecipients }) => removeRecipients ?? []),
  }
}

export function changesRecipients({ added, removed }: Verdict): boolean {
  return added.length + removed.length > 0
}

/**
 * The recipients as the filters want them. One that a filter adds may be anywhere: it is the operator's own program. One
 * that leads nowhere is left out: the client cannot mend it.
 */
export async function recipientsAfter(session: Session, verdict: Verdict): Promise<PlannedRecipient[]> {
  const { store, limits, log } = session.options
  const removed = new Set(verdict.removed.map(comparable))
  const recipients = session.recipients.filter(({ forwardPath }) => !removed.has(comparable(forwardPath)))
  const there = new Set(recipients.map(({ forwardPath }) => comparable(forwardPath)))
  for (const forwardPath of verdict.added) {
    if (there.has(comparable(forwardPath)) || recipients.length >= limits.recipients) continue
    const decision = await resolveRecipient(store, forwardPath, limits)
    if (decision.kind === 'refused') {
      log.warn('smtp filter added a recipient that is not taken', { forwardPath, reason: decision.text })
      continue
    }
    there.add(comparable(forwardPath))
    recipients.push({ forwardPath, decision, orcpt: null, notify: null })
  }
  return recipients
}

function comparable(address: string): string {
  return normaliseAddress(address) ?? address.toLowerCase()
}
