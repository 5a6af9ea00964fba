import { compileListPattern } from '../../wire/list-pattern.ts'
import { encodeMailboxName } from '../../wire/mailbox-name.ts'
import { ok } from '../../wire/refusal.ts'
import { formatAstring, untagged } from '../../wire/response.ts'
import { listName, matchAll } from '../match-names.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.3.9. */
export const lsub: Handlers['LSUB'] = {
  state: 'authenticated',

  async run(session, { reference, pattern }) {
    const subscriptions = await session.options.store.listSubscriptions(session.accountId)
    const subscribed = new Set(subscriptions.map(encodeMailboxName))
    // RFC 3501 §6.3.9: with `%`, the unsubscribed parent of a subscribed name is told as \Noselect.
    const names = pattern.includes('%') ? withParents(subscribed) : subscribed
    const compiled = compileListPattern(listName(reference + pattern), '/')
    for (const wire of await matchAll(session, [...names].sort(), compiled)) {
      const attributes = subscribed.has(wire) ? '' : '\\Noselect'
      session.dialogue.write(untagged(`LSUB (${attributes}) "/" ${formatAstring(wire)}`))
    }
    return ok('Listed')
  },
}

function withParents(names: ReadonlySet<string>): Set<string> {
  const all = new Set(names)
  for (const name of names) {
    for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1))
      all.add(name.slice(0, slash))
  }
  return all
}
