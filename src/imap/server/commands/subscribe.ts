import { ok, refuse } from '../../wire/refusal.ts'
import { checkNewName } from '../new-name.ts'
import type { Handlers } from '../session.ts'

/** Subscriptions of one account; they need no mailbox, so nothing else bounds them. */
const subscriptionsFactor = 2
/** Names that a session may subscribe between two counts of them all. */
const countEvery = 100

/** RFC 3501 §6.3.6: the name need not exist. */
export const subscribe: Handlers['SUBSCRIBE'] = {
  state: 'authenticated',

  async run(session, { mailbox }) {
    const { store, limits } = session.options
    const name = checkNewName(mailbox, limits)
    if (session.subscriptionsLeft === 0) {
      const names = await store.listSubscriptions(session.accountId)
      const left = limits.mailboxesPerAccount * subscriptionsFactor - names.length
      if (left <= 0) throw refuse('LIMIT', 'Too many subscriptions')
      session.subscriptionsLeft = Math.min(left, countEvery)
    }
    session.subscriptionsLeft--
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
