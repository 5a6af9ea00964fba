import { lowerBound } from '../columns.ts'
import { encodeMailboxName } from '../../wire/mailbox-name.ts'
import { ok, refuse } from '../../wire/refusal.ts'
import { formatAstring, untagged } from '../../wire/response.ts'
import type { StatusItem } from '../../wire/status-items.ts'
import type { Mailbox } from '../../../store/store.ts'
import type { Handlers, Session } from '../session.ts'

/** RFC 3501 §6.3.10. */
export const status: Handlers['STATUS'] = {
  state: 'authenticated',

  async run(session, { mailbox: name, items }) {
    const mailbox = await session.options.store.findMailbox(session.accountId, name)
    if (mailbox === null) throw refuse('NONEXISTENT', 'No such mailbox')
    await tellStatus(session, mailbox, items)
    return ok('Status told')
  },
}

export async function tellStatus(
  session: Session,
  mailbox: Mailbox,
  items: readonly StatusItem[],
): Promise<void> {
  const values: string[] = []
  for (const item of items) values.push(`${item} ${await statusValue(session, mailbox, item)}`)
  const wire = formatAstring(encodeMailboxName(mailbox.name))
  session.dialogue.write(untagged(`STATUS ${wire} (${values.join(' ')})`))
}

function statusValue(session: Session, mailbox: Mailbox, item: StatusItem): number | Promise<number> {
  switch (item) {
    case 'MESSAGES':
      return mailbox.total
    case 'UIDNEXT':
      return mailbox.uidNext
    case 'UIDVALIDITY':
      return mailbox.uidValidity
    case 'UNSEEN':
      return mailbox.unseen
    case 'RECENT':
      return countRecent(session, mailbox)
  }
}

/** Messages that no session has been told of, docs/decisions/040. */
async function countRecent(session: Session, mailbox: Mailbox): Promise<number> {
  const { accountId, mailboxId } = mailbox
  const from = session.shared.recentFrom(accountId, mailboxId)
  if (mailbox.total === 0 || (from !== null && from >= mailbox.uidNext)) return 0
  // Nobody has been here since the start: what has not been read is the best guess that needs no look inside.
  if (from === null) return mailbox.unseen
  const index = await session.options.store.loadIndex(accountId, mailboxId)
  const count = index.length - lowerBound(index.uids, index.length, from)
  index.release()
  return count
}
