import type { Mailbox } from '../../../store/store.ts'
import { compileListPattern } from '../../wire/list-pattern.ts'
import { encodeMailboxName } from '../../wire/mailbox-name.ts'
import { ok } from '../../wire/refusal.ts'
import { formatAstring, untagged } from '../../wire/response.ts'
import { listName, tellMatching } from '../match-names.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.3.8, with the attributes of RFC 3348 (CHILDREN) and RFC 6154 (SPECIAL-USE). */
export const list: Handlers['LIST'] = {
  state: 'authenticated',

  async run(session, { reference, pattern }) {
    // RFC 3501 §6.3.8: an empty pattern asks for the separator only.
    if (pattern === '') {
      session.dialogue.write(untagged('LIST (\\Noselect) "/" ""'))
      return ok('Listed')
    }
    const mailboxes = await session.options.store.listMailboxes(session.accountId)
    const names = new Map(mailboxes.map((mailbox) => [encodeMailboxName(mailbox.name), mailbox]))
    const parents = new Set(mailboxes.flatMap(({ name }) => parentOf(name)))
    await session.dialogue.breathe()
    const compiled = compileListPattern(listName(reference + pattern), '/')
    await tellMatching(session, [...names.keys()].sort(), compiled, (wire) => {
      return `LIST (${attributes(names.get(wire)!, parents)}) "/" ${formatAstring(wire)}`
    })
    return ok('Listed')
  },
}

function parentOf(name: string): string[] {
  const slash = name.lastIndexOf('/')
  return slash < 0 ? [] : [name.slice(0, slash)]
}

function attributes({ name, specialUse }: Mailbox, parents: ReadonlySet<string>): string {
  const children = parents.has(name) ? '\\HasChildren' : '\\HasNoChildren'
  return specialUse === null ? children : `${children} ${specialUse}`
}
