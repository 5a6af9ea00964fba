/** What an alias changes in the envelope of a letter that it leads elsewhere. */
import type { Clock } from '../base/clock.ts'
import { normaliseDomain } from '../store/address.ts'
import type { AccountStore } from '../store/accounts.ts'
import type { ForwardedPath, PlannedRecipient } from './plan.ts'
import { looksRewritten, reverse, rewrite } from './srs.ts'

export interface Forwarding {
  /** The key of rewritten addresses; made when it is first asked for. Rejects when it cannot be read or written. */
  key(): Promise<Uint8Array>
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Under which reverse-path forwarded copies go on. A report has none that could change, and one of our own senders may be
 * sent for from here.
 *
 * @param forwarding Null: nothing is rewritten.
 * @returns Undefined: as it is.
 */
export function forwardedPath(
  forwarding: Forwarding | null | undefined,
  store: Pick<AccountStore, 'listDomains'>,
  reversePath: string,
  recipients: readonly PlannedRecipient[],
): ForwardedPath | undefined | Promise<ForwardedPath | undefined> {
  if (forwarding == null || reversePath === '') return undefined
  if (!recipients.some(({ decision }) => decision.kind === 'home' && decision.forwards.length > 0))
    return undefined
  return pathsFor(forwarding, store, reversePath)
}

async function pathsFor(
  forwarding: Forwarding,
  store: Pick<AccountStore, 'listDomains'>,
  reversePath: string,
): Promise<ForwardedPath | undefined> {
  const ours = new Set(await store.listDomains())
  if (ours.has(domainOf(reversePath))) return undefined
  const key = await forwarding.key()
  const now = forwarding.clock.now()
  return (alias, target) =>
    // A full mailbox of ours that waits in the queue is forwarded to nobody.
    ours.has(domainOf(target))
      ? reversePath
      : (rewrite(key, reversePath, domainOf(alias), now) ?? reversePath)
}

/**
 * Whose bounce this address is to take.
 *
 * @param forwarding Null, because the reverse-path is not null: nobody but a report is passed on.
 * @param address As it stands in RCPT, at a domain of ours.
 */
export async function bouncedTo(
  forwarding: Forwarding | null | undefined,
  address: string,
): Promise<string | null> {
  if (forwarding == null || !looksRewritten(address)) return null
  return reverse(await forwarding.key(), address, forwarding.clock.now())
}

function domainOf(address: string): string {
  const written = address.slice(address.lastIndexOf('@') + 1)
  return normaliseDomain(written) ?? written.toLowerCase()
}
