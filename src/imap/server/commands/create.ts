import type { SpecialUse } from '../../../store/store.ts'
import { ok, refuse } from '../../wire/refusal.ts'
import { checkNewName } from '../new-name.ts'
import type { Handlers } from '../session.ts'

/** What a client may give a new mailbox, RFC 6154 §2; \All and \Flagged would need mailboxes made of others. */
const uses: Record<string, SpecialUse> = {
  '\\ARCHIVE': '\\Archive',
  '\\DRAFTS': '\\Drafts',
  '\\JUNK': '\\Junk',
  '\\SENT': '\\Sent',
  '\\TRASH': '\\Trash',
}

/** RFC 3501 §6.3.3, and CREATE-SPECIAL-USE of RFC 6154 §3. */
export const create: Handlers['CREATE'] = {
  state: 'authenticated',

  async run(session, { mailbox, use }) {
    const { store, limits } = session.options
    const name = checkNewName(mailbox, limits)
    const specialUse = use.length === 0 ? null : await chooseUse(use)
    if (specialUse !== null) {
      const others = await store.listMailboxes(session.accountId)
      if (others.some((other) => other.specialUse === specialUse))
        throw refuse('USEATTR', 'Another mailbox has that use')
    }
    if ((await store.findMailbox(session.accountId, name)) !== null) {
      throw refuse('ALREADYEXISTS', 'A mailbox of that name exists')
    }
    await store.createMailbox(session.accountId, name, specialUse)
    return ok('Created')
  },
}

async function chooseUse(wanted: readonly string[]): Promise<SpecialUse> {
  const [only, ...more] = wanted
  const use = uses[only?.toUpperCase() ?? '']
  if (use === undefined || more.length > 0) throw refuse('USEATTR', 'A mailbox cannot have that use')
  return use
}
