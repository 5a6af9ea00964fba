import { ok, refuse } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.3.4. */
export const deleteMailbox: Handlers['DELETE'] = {
  state: 'authenticated',

  async run(session, { mailbox: name }) {
    const { store } = session.options
    if (name === 'INBOX') throw refuse('CANNOT', 'INBOX cannot be deleted')
    const mailboxes = await store.listMailboxes(session.accountId)
    const mailbox = mailboxes.find((one) => one.name === name)
    if (mailbox === undefined) throw refuse('NONEXISTENT', 'No such mailbox')
    // RFC 3501 §6.3.4 allows both; a mailbox that is only a name would have to be explained to everybody.
    if (mailboxes.some((one) => one.name.startsWith(`${name}/`))) {
      throw refuse('HASCHILDREN', 'There are mailboxes below it')
    }
    if (session.selected?.index.mailboxId === mailbox.mailboxId) session.deselect()
    await store.deleteMailbox(session.accountId, mailbox.mailboxId)
    session.shared.forgetMailbox(session.accountId, mailbox.mailboxId)
    return ok('Deleted')
  },
}
