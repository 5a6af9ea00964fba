import { formatSequenceSet } from '../../wire/sequence-set.ts'
import { ok, refuse, type Refusal } from '../../wire/refusal.ts'
import { MailboxGone } from '../../../store/errors.ts'
import type { Copied, Mailbox } from '../../../store/store.ts'
import type { Handlers, Session } from '../session.ts'

/** RFC 3501 §6.4.7, answered as in RFC 4315 §3. */
export const copy: Handlers['COPY'] = {
  state: 'selected',

  async run(session, { set, uid, mailbox }) {
    const { view, options } = session
    const ranges = view.resolve(set, uid)
    // RFC 3501 §6.4.7: all or nothing; what is gone cannot be copied.
    if (!uid && view.namesGhost(ranges)) throw refuse('EXPUNGEISSUED', 'Some messages are gone')
    const target = await findTarget(session, mailbox)
    const uids = view.uidsIn(ranges)
    if (uids.length === 0) return ok('Nothing to copy')
    const { accountId, mailboxId } = view.index
    const copied = await options.store
      .copy(accountId, mailboxId, uids, target.mailboxId)
      .catch(translateTarget)
    return ok('Copied', copyUid(copied))
  },
}

/** @throws {Refusal} NO [TRYCREATE]: there is no such mailbox, and the client may make it. */
export async function findTarget(session: Session, name: string): Promise<Mailbox> {
  const mailbox = await session.options.store.findMailbox(session.accountId, name)
  if (mailbox === null) throw noTarget()
  return mailbox
}

export function translateTarget(error: unknown): never {
  throw error instanceof MailboxGone ? noTarget() : error
}

function noTarget(): Refusal {
  return refuse('TRYCREATE', 'No such mailbox')
}

/** COPYUID, RFC 4315 §3: both sets in the same order; null when nothing was copied. */
export function copyUid({ uidValidity, sourceUids, targetUids }: Copied): string | null {
  if (sourceUids.length === 0) return null
  return `COPYUID ${uidValidity} ${formatSequenceSet(sourceUids)} ${formatSequenceSet(targetUids)}`
}
