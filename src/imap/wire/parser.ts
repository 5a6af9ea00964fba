/** A framed command becomes a value, RFC 3501 §9. Pure: the same octets always mean the same. */
import type { Command, PlainName } from './command.ts'
import type { FramedCommand } from './framing.ts'
import { parseAppend } from './append.ts'
import { parseFetchItems } from './fetch.ts'
import { parseFlagList } from './flags.ts'
import { parseList } from './list.ts'
import { decodeMailboxName } from './mailbox-name.ts'
import { CommandReader } from './reader.ts'
import { bad, Refusal } from './refusal.ts'
import { parseSearch } from './search.ts'
import { parseSequenceSet, type SequenceSet } from './sequence-set.ts'
import { parseStatusItems } from './status-items.ts'

export interface ParserBounds {
  readonly imapNesting: number
  readonly imapSequenceRanges: number
}

export type Parsed =
  | { readonly kind: 'command'; readonly tag: string; readonly command: Command }
  /** `tag` is null when not even that could be read. */
  | { readonly kind: 'refused'; readonly tag: string | null; readonly refusal: Refusal }

type ArgumentParser = (reader: CommandReader, bounds: ParserBounds) => Command

/** Tags are repeated to the client, so they have a bound of their own. */
const tagOctets = 200

/** Never throws. */
export function parseCommand(framed: FramedCommand, bounds: ParserBounds): Parsed {
  const reader = new CommandReader(framed)
  let tag: string | null = null
  try {
    tag = readTag(reader)
    const command = readName(reader)(reader, bounds)
    reader.end()
    return { kind: 'command', tag, command }
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', tag, refusal: error }
    throw error
  }
}

/** The tag of a command that was thrown away unread; null when there is none. */
export function findTag(start: string): string | null {
  try {
    return readTag(new CommandReader({ texts: [start], literals: [] }))
  } catch {
    return null
  }
}

function readTag(reader: CommandReader): string {
  const tag = reader.tag()
  if (tag.length > tagOctets) throw bad('Cannot read command: tag is too long')
  reader.space()
  return tag
}

function readName(reader: CommandReader): ArgumentParser {
  const name = reader.atom().toUpperCase()
  const table = name === 'UID' ? uidParsers : parsers
  if (name !== 'UID') return find(table, name)
  reader.space()
  return find(table, reader.atom().toUpperCase())
}

function find(table: Record<string, ArgumentParser>, name: string): ArgumentParser {
  const parser = Object.hasOwn(table, name) ? table[name] : undefined
  if (parser === undefined) throw bad('Command not recognized')
  return parser
}

const plain =
  (name: PlainName): ArgumentParser =>
  () => ({ name })

const parsers: Record<string, ArgumentParser> = {
  CAPABILITY: plain('CAPABILITY'),
  CHECK: plain('CHECK'),
  CLOSE: plain('CLOSE'),
  IDLE: plain('IDLE'),
  LOGOUT: plain('LOGOUT'),
  NAMESPACE: plain('NAMESPACE'),
  NOOP: plain('NOOP'),
  STARTTLS: plain('STARTTLS'),
  UNSELECT: plain('UNSELECT'),
  LOGIN: parseLogin,
  AUTHENTICATE: parseAuthenticate,
  ENABLE: parseEnable,
  ID: parseId,
  SELECT: (reader) => ({ name: 'SELECT', mailbox: spaceMailbox(reader) }),
  EXAMINE: (reader) => ({ name: 'EXAMINE', mailbox: spaceMailbox(reader) }),
  CREATE: parseCreate,
  DELETE: (reader) => ({ name: 'DELETE', mailbox: spaceMailbox(reader) }),
  SUBSCRIBE: (reader) => ({ name: 'SUBSCRIBE', mailbox: spaceMailbox(reader) }),
  UNSUBSCRIBE: (reader) => ({ name: 'UNSUBSCRIBE', mailbox: spaceMailbox(reader) }),
  RENAME: (reader) => ({ name: 'RENAME', mailbox: spaceMailbox(reader), newName: spaceMailbox(reader) }),
  LIST: parseList,
  LSUB: parseLsub,
  STATUS: parseStatus,
  APPEND: parseAppend,
  EXPUNGE: () => ({ name: 'EXPUNGE', set: null }),
  SEARCH: (reader, bounds) => parseSearchCommand(reader, bounds, false),
  FETCH: (reader, bounds) => parseFetch(reader, bounds, false),
  STORE: (reader, bounds) => parseStore(reader, bounds, false),
  COPY: (reader, bounds) => parseCopy(reader, bounds, 'COPY', false),
  MOVE: (reader, bounds) => parseCopy(reader, bounds, 'MOVE', false),
}

/** uid = "UID" SP (copy / fetch / search / store), RFC 4315 §4 (expunge), RFC 6851 §3.2 (move). */
const uidParsers: Record<string, ArgumentParser> = {
  COPY: (reader, bounds) => parseCopy(reader, bounds, 'COPY', true),
  EXPUNGE: (reader, bounds) => ({ name: 'EXPUNGE', set: spaceSet(reader, bounds) }),
  FETCH: (reader, bounds) => parseFetch(reader, bounds, true),
  MOVE: (reader, bounds) => parseCopy(reader, bounds, 'MOVE', true),
  SEARCH: (reader, bounds) => parseSearchCommand(reader, bounds, true),
  STORE: (reader, bounds) => parseStore(reader, bounds, true),
}

function spaceMailbox(reader: CommandReader): string {
  reader.space()
  return decodeMailboxName(reader.astring())
}

function spaceSet(reader: CommandReader, bounds: ParserBounds): SequenceSet {
  reader.space()
  return parseSequenceSet(reader.sequenceText(), bounds.imapSequenceRanges)
}

/** login = "LOGIN" SP userid SP password */
function parseLogin(reader: CommandReader): Command {
  reader.space()
  const login = reader.astring()
  reader.space()
  return { name: 'LOGIN', login, password: reader.astring() }
}

/** "AUTHENTICATE" SP auth-type [SP (base64 / "=")], RFC 4959 §7 */
function parseAuthenticate(reader: CommandReader): Command {
  reader.space()
  const mechanism = reader.atom().toUpperCase()
  if (!reader.accept(' ')) return { name: 'AUTHENTICATE', mechanism, initial: null }
  const initial = reader.match(/[A-Za-z0-9+/=]+/y)
  if (initial === null) throw reader.fault('an initial response')
  return { name: 'AUTHENTICATE', mechanism, initial }
}

/** "ENABLE" 1*(SP capability), RFC 5161 §4 */
function parseEnable(reader: CommandReader): Command {
  const capabilities: string[] = []
  do {
    reader.space()
    capabilities.push(reader.atom().toUpperCase())
  } while (!reader.atEnd)
  return { name: 'ENABLE', capabilities }
}

/** "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil), RFC 2971 §4 */
function parseId(reader: CommandReader): Command {
  const fields = new Map<string, string | null>()
  reader.space()
  if (reader.accept('NIL')) return { name: 'ID', fields }
  reader.expect('(')
  while (!reader.accept(')')) {
    if (fields.size > 0) reader.space()
    const field = reader.string()
    reader.space()
    const value = reader.nstring()
    // RFC 2971 §3.3: at most 30 fields, names of 30 octets, values of 1,024.
    if (fields.size >= 30 || field.length > 30 || (value?.length ?? 0) > 1024)
      throw bad('Cannot read ID: too long')
    if (fields.has(field.toLowerCase())) throw bad('Cannot read ID: a field comes twice')
    fields.set(field.toLowerCase(), value)
  }
  return { name: 'ID', fields }
}

/** "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"], RFC 6154 §6 */
function parseCreate(reader: CommandReader): Command {
  const mailbox = spaceMailbox(reader)
  const use: string[] = []
  if (reader.accept(' (USE (') && !reader.accept('))')) {
    do {
      reader.expect('\\')
      use.push(`\\${reader.atom()}`)
    } while (reader.accept(' '))
    reader.expect('))')
  }
  return { name: 'CREATE', mailbox, use }
}

/** "LSUB" SP mailbox SP list-mailbox */
function parseLsub(reader: CommandReader): Command {
  reader.space()
  const reference = reader.astring()
  reader.space()
  return { name: 'LSUB', reference, pattern: reader.listMailbox() }
}

/** "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
function parseStatus(reader: CommandReader): Command {
  const mailbox = spaceMailbox(reader)
  reader.space()
  return { name: 'STATUS', mailbox, items: parseStatusItems(reader) }
}

function parseSearchCommand(reader: CommandReader, bounds: ParserBounds, uid: boolean): Command {
  reader.space()
  const key = parseSearch(reader, { nesting: bounds.imapNesting, sequenceRanges: bounds.imapSequenceRanges })
  return { name: 'SEARCH', uid, key }
}

function parseFetch(reader: CommandReader, bounds: ParserBounds, uid: boolean): Command {
  const set = spaceSet(reader, bounds)
  reader.space()
  return { name: 'FETCH', uid, set, items: parseFetchItems(reader, bounds.imapNesting) }
}

/** "STORE" SP sequence-set SP ["+" / "-"] "FLAGS" [".SILENT"] SP (flag-list / (flag *(SP flag))) */
function parseStore(reader: CommandReader, bounds: ParserBounds, uid: boolean): Command {
  const set = spaceSet(reader, bounds)
  reader.space()
  const op = reader.accept('+') ? 'add' : reader.accept('-') ? 'remove' : 'set'
  reader.expect('FLAGS')
  const silent = reader.accept('.SILENT')
  reader.space()
  return { name: 'STORE', uid, set, op, silent, ...parseFlagList(reader, true) }
}

function parseCopy(
  reader: CommandReader,
  bounds: ParserBounds,
  name: 'COPY' | 'MOVE',
  uid: boolean,
): Command {
  return { name, uid, set: spaceSet(reader, bounds), mailbox: spaceMailbox(reader) }
}
