/** LIST in the form of RFC 3501 §6.3.8 and in that of RFC 5258 §6. */
import type { CommandReader } from './reader.ts'
import { bad } from './refusal.ts'
import { parseStatusItems, type StatusItem } from './status-items.ts'

/** RFC 5258 §3.1, and SPECIAL-USE of RFC 6154 §2. */
export type ListSelection = 'SUBSCRIBED' | 'SPECIAL-USE' | 'REMOTE' | 'RECURSIVEMATCH'
/** RFC 5258 §3.2, RFC 6154 §2, RFC 5819 §2. */
export type ListReturn = 'SUBSCRIBED' | 'SPECIAL-USE' | 'CHILDREN' | 'STATUS'

export interface ListCommand {
  readonly name: 'LIST'
  /** Reference and patterns stay as on the wire, because patterns are matched there. */
  readonly reference: string
  readonly patterns: readonly string[]
  /** RFC 5258 §1: whether there are options or several patterns; an empty pattern then asks for nothing. */
  readonly extended: boolean
  readonly select: ReadonlySet<ListSelection>
  readonly returned: ReadonlySet<ListReturn>
  /** Of the return option STATUS; empty without it. */
  readonly status: readonly StatusItem[]
}

const selections = new Set<string>([
  'SUBSCRIBED',
  'SPECIAL-USE',
  'REMOTE',
  'RECURSIVEMATCH',
] satisfies ListSelection[])
const returns = new Set<string>(['SUBSCRIBED', 'SPECIAL-USE', 'CHILDREN', 'STATUS'] satisfies ListReturn[])

/** Every name is held against every pattern. */
const mostPatterns = 100

/** "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts] */
export function parseList(reader: CommandReader): ListCommand {
  reader.space()
  const chosen = reader.accept('(')
  const select = new Set<ListSelection>()
  if (chosen) {
    readSelection(reader, select)
    reader.space()
  }
  const reference = reader.astring()
  reader.space()
  const several = reader.accept('(')
  const patterns = several ? readPatterns(reader) : [reader.listMailbox()]
  const returned = new Set<ListReturn>()
  const status = new Set<StatusItem>()
  const asked = reader.accept(' RETURN (')
  if (asked) readReturn(reader, returned, status)
  const extended = chosen || several || asked
  return { name: 'LIST', reference, patterns, extended, select, returned, status: [...status] }
}

function readSelection(reader: CommandReader, select: Set<ListSelection>): void {
  readOptions(reader, selections, (option) => void select.add(option as ListSelection))
  // RFC 5258 §3.1: what children are asked about has to be said too.
  if (select.has('RECURSIVEMATCH') && !select.has('SUBSCRIBED') && !select.has('SPECIAL-USE'))
    throw bad('Cannot read LIST: RECURSIVEMATCH needs another option')
}

function readReturn(reader: CommandReader, returned: Set<ListReturn>, status: Set<StatusItem>): void {
  readOptions(reader, returns, (option) => {
    returned.add(option as ListReturn)
    if (option !== 'STATUS') return
    reader.space()
    for (const item of parseStatusItems(reader)) status.add(item)
  })
}

/** [option *(SP option)] ")". RFC 5258 §3: what is not known is BAD, what comes twice counts once. */
function readOptions(
  reader: CommandReader,
  known: ReadonlySet<string>,
  take: (option: string) => void,
): void {
  if (reader.accept(')')) return
  do {
    const option = reader.atom().toUpperCase()
    if (!known.has(option)) throw bad('Cannot read LIST: no such option')
    take(option)
  } while (reader.accept(' '))
  reader.expect(')')
}

/** list-mailbox *(SP list-mailbox) ")" */
function readPatterns(reader: CommandReader): string[] {
  const patterns: string[] = []
  do {
    if (patterns.length === mostPatterns) throw bad('Cannot read LIST: too many patterns')
    patterns.push(reader.listMailbox())
  } while (reader.accept(' '))
  reader.expect(')')
  return patterns
}
