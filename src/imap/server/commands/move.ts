import { ok, refuse } from '../../wire/refusal.ts'
import { untagged } from '../../wire/response.ts'
import type { Handlers } from '../session.ts'
import { assertWritable } from '../writable.ts'
import { copyUid, findTarget, translateTarget } from './copy.ts'

/** RFC 6851 §3.1. */
export const move: Handlers['MOVE'] = {
  state: 'selected',

  async run(session, { set, uid, mailbox }) {
    assertWritable(session)
    const { view, options } = session
    const ranges = view.resolve(set, uid)
    if (!uid && view.namesGhost(ranges)) throw refuse('EXPUNGEISSUED', 'Some messages are gone')
    const target = await findTarget(session, mailbox)
    const uids = view.uidsIn(ranges)
    if (uids.length === 0) return ok('Nothing to move')
    const { accountId, mailboxId } = view.index
    const moved = await options.store
      .move(accountId, mailboxId, uids, target.mailboxId)
      .catch(translateTarget)
    const code = copyUid(moved)
    // RFC 6851 §4.3: COPYUID comes before the EXPUNGEs, which the news behind the command tell.
    if (code !== null) session.dialogue.write(untagged(`OK [${code}] Moved`))
    return ok('Moved')
  },
}
