import { ok, refuse } from '../../wire/refusal.ts'
import { checkNewName } from '../new-name.ts'
import type { Handlers } from '../session.ts'

/** Subscriptions of one account; they need no mailbox, so nothing else bounds them. */
const subscriptionsFactor = 2

/** RFC 3501 §6.3.6: the name need not exist. */
export const subscribe: Handlers['SUBSCRIBE'] = {
  state: 'authenticated',

  async run(session, { mailbox }) {
    const { store, limits } = session.options
    const name = checkNewName(mailbox, limits)
    const names = await store.listSubscriptions(session.accountId)
    if (names.length >= limits.mailboxesPerAccount * subscriptionsFactor)
      throw refuse('LIMIT', 'Too many subscriptions')
    await store.setSubscribed(session.accountId, name, true)
    return ok('Subscribed')
  },
}

/** RFC 3501 §6.3.7. */
export const unsubscribe: Handlers['UNSUBSCRIBE'] = {
  state: 'authenticated',

  async run(session, { mailbox }) {
    await session.options.store.setSubscribed(session.accountId, mailbox, false)
    return ok('Unsubscribed')
  },
}
