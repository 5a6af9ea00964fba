import { seen } from '../../wire/flags.ts'
import type { Session } from '../session.ts'
import type { PageEntry } from './run.ts'

/**
 * Sets \Seen on the messages of a page that lack it, durably, before their text is sent.
 *
 * @returns The UIDs it was set on.
 */
export async function markSeen(session: Session, page: readonly PageEntry[]): Promise<ReadonlySet<number>> {
  const { index } = session.view
  const unseen = page
    .map(({ uid }) => uid)
    .filter((uid) => {
      const row = index.rowOf(uid)
      return row >= 0 && (index.flags[row]! & seen) === 0
    })
  if (unseen.length === 0) return new Set()
  const change = { op: 'add', flags: seen, keywords: [] } as const
  const before = index.highestModseq
  const { modseq } = await session.options.store.storeFlags(index.accountId, index.mailboxId, unseen, change)
  session.view.ownChange(modseq, before)
  return new Set(unseen)
}
