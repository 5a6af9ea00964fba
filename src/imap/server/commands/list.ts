import type { Mailbox } from '../../../store/store.ts'
import type { ListCommand } from '../../wire/list.ts'
import { compileListPattern, type ListPattern } from '../../wire/list-pattern.ts'
import { encodeMailboxName } from '../../wire/mailbox-name.ts'
import { ok } from '../../wire/refusal.ts'
import { formatAstring, untagged } from '../../wire/response.ts'
import { listName, namesPerTurn } from '../match-names.ts'
import type { Handlers, Session } from '../session.ts'
import { tellStatus } from './status.ts'

/** RFC 3501 §6.3.8 and RFC 5258, with SPECIAL-USE of RFC 6154 and STATUS of RFC 5819. docs/decisions/283. */
export const list: Handlers['LIST'] = {
  state: 'authenticated',

  async run(session, command) {
    // RFC 3501 §6.3.8: an empty pattern asks for the separator only. RFC 5258 §3: not in the extended form.
    if (!command.extended && command.patterns[0] === '') {
      session.dialogue.write(untagged('LIST (\\Noselect) "/" ""'))
      return ok('Listed')
    }
    const names = await readNames(session, command)
    await session.dialogue.breathe()
    const pattern = compilePatterns(command)
    const descendants = await findDescendants(session, command, names, pattern)
    for (const [i, wire] of [...names.all, ...descendants.hidden].sort().entries()) {
      if (i % namesPerTurn === namesPerTurn - 1) await session.dialogue.breathe()
      if (pattern.matches(wire)) await tell(session, command, names, descendants, wire)
    }
    return ok('Listed')
  },
}

/** All names are as on the wire. */
interface Names {
  readonly mailboxes: ReadonlyMap<string, Mailbox>
  /** Those with mailboxes below. */
  readonly parents: ReadonlySet<string>
  /** Empty when the command does not care. */
  readonly subscribed: ReadonlySet<string>
  /** Those that satisfy the selection criteria. */
  readonly all: ReadonlySet<string>
}

interface Descendants {
  /** Names with a name below that satisfies the criteria: told as CHILDINFO. */
  readonly above: ReadonlySet<string>
  /** Those of them that do not satisfy the criteria, but have a name below that does and matches no pattern. */
  readonly hidden: ReadonlySet<string>
}

async function readNames(session: Session, { select, returned }: ListCommand): Promise<Names> {
  const { store } = session.options
  const found = await store.listMailboxes(session.accountId)
  const mailboxes = new Map(found.map((mailbox) => [encodeMailboxName(mailbox.name), mailbox]))
  const asked = select.has('SUBSCRIBED') || returned.has('SUBSCRIBED')
  const subscriptions = asked ? await store.listSubscriptions(session.accountId) : []
  const subscribed = new Set(subscriptions.map(encodeMailboxName))
  const all = new Set(select.has('SUBSCRIBED') ? subscribed : mailboxes.keys())
  if (select.has('SPECIAL-USE')) {
    for (const wire of all) if (!mailboxes.get(wire)?.specialUse) all.delete(wire)
  }
  return { mailboxes, parents: new Set([...mailboxes.keys()].flatMap(parentOf)), subscribed, all }
}

function parentOf(wire: string): string[] {
  const slash = wire.lastIndexOf('/')
  return slash < 0 ? [] : [wire.slice(0, slash)]
}

function compilePatterns({ reference, patterns, extended }: ListCommand): ListPattern {
  // RFC 5258 §3: among several patterns, an empty one matches nothing, whatever the reference.
  const wanted = extended ? patterns.filter((pattern) => pattern !== '') : patterns
  const compiled = wanted.map((pattern) => compileListPattern(listName(reference + pattern), '/'))
  return { matches: (name) => compiled.some((pattern) => pattern.matches(name)) }
}

/** RFC 5258 §3.5; the names above a subscribed one need not exist. */
async function findDescendants(
  session: Session,
  { select }: ListCommand,
  { all }: Names,
  pattern: ListPattern,
): Promise<Descendants> {
  const above = new Set<string>()
  const hidden = new Set<string>()
  if (!select.has('RECURSIVEMATCH')) return { above, hidden }
  for (const [i, wire] of [...all].entries()) {
    if (i % namesPerTurn === namesPerTurn - 1) await session.dialogue.breathe()
    const told = pattern.matches(wire)
    for (let [parent] = parentOf(wire); parent !== undefined; [parent] = parentOf(parent)) {
      above.add(parent)
      if (!told && !all.has(parent)) hidden.add(parent)
    }
  }
  return { above, hidden }
}

async function tell(
  session: Session,
  { select, returned, status }: ListCommand,
  names: Names,
  { above }: Descendants,
  wire: string,
): Promise<void> {
  const mailbox = names.mailboxes.get(wire)
  const attributes: string[] = []
  // RFC 5258 §4: told for every mailbox, and for other names when asked.
  if (mailbox !== undefined || returned.has('CHILDREN'))
    attributes.push(names.parents.has(wire) ? '\\HasChildren' : '\\HasNoChildren')
  if (mailbox === undefined) attributes.push('\\NonExistent')
  else if (mailbox.specialUse !== null) attributes.push(mailbox.specialUse)
  if (names.subscribed.has(wire)) attributes.push('\\Subscribed')
  const childInfo = above.has(wire) ? ` ("CHILDINFO" (${criteria(select)}))` : ''
  session.dialogue.write(untagged(`LIST (${attributes.join(' ')}) "/" ${formatAstring(wire)}${childInfo}`))
  // RFC 5819 §3: not for a name that is told because of what is below.
  if (returned.has('STATUS') && mailbox !== undefined && names.all.has(wire))
    await tellStatus(session, mailbox, status)
}

function criteria(select: ListCommand['select']): string {
  const said = (['SUBSCRIBED', 'SPECIAL-USE'] as const).filter((option) => select.has(option))
  return said.map((option) => `"${option}"`).join(' ')
}
