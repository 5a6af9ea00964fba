import { ok, refuse } from '../../wire/refusal.ts'
import { checkNewName } from '../new-name.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.3.5. */
export const rename: Handlers['RENAME'] = {
  state: 'authenticated',

  async run(session, { mailbox: oldName, newName }) {
    const { store, limits } = session.options
    const name = checkNewName(newName, limits)
    const mailbox = await store.findMailbox(session.accountId, oldName)
    if (mailbox === null) throw refuse('NONEXISTENT', 'No such mailbox')
    if (name.startsWith(`${oldName}/`) && oldName !== 'INBOX')
      throw refuse('CANNOT', 'A mailbox cannot go below itself')
    if ((await store.findMailbox(session.accountId, name)) !== null) {
      throw refuse('ALREADYEXISTS', 'A mailbox of that name exists')
    }
    await store.renameMailbox(session.accountId, mailbox.mailboxId, name)
    return ok('Renamed')
  },
}
