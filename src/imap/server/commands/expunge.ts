import { deleted } from '../../wire/flags.ts'
import { ok } from '../../wire/refusal.ts'
import type { UidRange } from '../selected.ts'
import { assertWritable } from '../writable.ts'
import type { Handlers, Session } from '../session.ts'

/** RFC 3501 §6.4.3, and UID EXPUNGE of RFC 4315 §2.1. */
export const expunge: Handlers['EXPUNGE'] = {
  state: 'selected',

  async run(session, { set }) {
    assertWritable(session)
    await expungeFlagged(session, set === null ? session.view.everything() : session.view.resolve(set, true))
    return ok('Expunged')
  },
}

/** Removes those of the messages that are \Deleted. The responses come with the news behind the command. */
export async function expungeFlagged(session: Session, ranges: readonly UidRange[]): Promise<void> {
  const { index } = session.view
  const uids = session.view.uidsIn(ranges).filter((uid) => (index.flags[index.rowOf(uid)]! & deleted) !== 0)
  if (uids.length > 0) await session.options.store.expunge(index.accountId, index.mailboxId, uids)
}
