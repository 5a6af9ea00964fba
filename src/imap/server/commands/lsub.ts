import { compileListPattern } from '../../wire/list-pattern.ts'
import { encodeMailboxName } from '../../wire/mailbox-name.ts'
import { ok } from '../../wire/refusal.ts'
import { formatAstring } from '../../wire/response.ts'
import { listName, tellMatching } from '../match-names.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.3.9. */
export const lsub: Handlers['LSUB'] = {
  state: 'authenticated',

  async run(session, { reference, pattern }) {
    const subscriptions = await session.options.store.listSubscriptions(session.accountId)
    const subscribed = new Set(subscriptions.map(encodeMailboxName))
    const wanted = listName(reference + pattern)
    await session.dialogue.breathe()
    // RFC 3501 §6.3.9: with `%`, the unsubscribed parent of a subscribed name is told as \Noselect.
    const names = /^[^*]*%[^*]*$/.test(wanted) ? cutToDepth(subscribed, wanted.split('/').length) : subscribed
    await tellMatching(session, [...names].sort(), compileListPattern(wanted, '/'), (wire) => {
      return `LSUB (${subscribed.has(wire) ? '' : '\\Noselect'}) "/" ${formatAstring(wire)}`
    })
    return ok('Listed')
  },
}

/** Without `*` a pattern matches names of its own depth only: of each name, the part that is so deep. */
function cutToDepth(names: ReadonlySet<string>, levels: number): Set<string> {
  const cut = new Set<string>()
  for (const name of names) {
    let end = -1
    for (let level = 0; level < levels; level++) {
      end = name.indexOf('/', end + 1)
      if (end < 0) break
    }
    cut.add(end < 0 ? name : name.slice(0, end))
  }
  return cut
}
