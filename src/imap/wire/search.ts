/** What SEARCH asks for, RFC 3501 §6.4.4. */
import { dayMs, parseDate } from './date.ts'
import { answered, deleted, draft, flagged, seen } from './flags.ts'
import type { CommandReader } from './reader.ts'
import { bad, refuse } from './refusal.ts'
import { parseSequenceSet, type SequenceSet } from './sequence-set.ts'

export type SearchKey =
  | { readonly kind: 'all' | 'recent' | 'old' }
  | { readonly kind: 'flag'; readonly bit: number; readonly set: boolean }
  | { readonly kind: 'keyword'; readonly name: string; readonly set: boolean }
  /** Received (or, by its Date field, sent) in [from, before): midnights, milliseconds since 1970. */
  | {
      readonly kind: 'date'
      readonly field: 'internal' | 'sent'
      readonly from: number
      readonly before: number
    }
  | { readonly kind: 'larger' | 'smaller'; readonly octets: number }
  /** A field of that name holds the text; '' asks only for the field. */
  | { readonly kind: 'header'; readonly name: string; readonly text: string }
  /** BODY looks at the texts of the message, TEXT at its header too. */
  | { readonly kind: 'body' | 'text'; readonly text: string }
  | { readonly kind: 'uid' | 'sequence'; readonly set: SequenceSet }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }

export interface SearchBounds {
  readonly nesting: number
  readonly sequenceRanges: number
}

/** Keys of one command, so that a line of them cannot keep a server busy. */
const keysMax = 1_000
/** Keys among them that have to look into messages. */
const textKeysMax = 50
/** Octets of one text: looking for a long one in a text much like it takes time with the product of both. */
const textOctetsMax = 1_000

const flagKeys: Record<string, SearchKey> = {
  ANSWERED: { kind: 'flag', bit: answered, set: true },
  UNANSWERED: { kind: 'flag', bit: answered, set: false },
  DELETED: { kind: 'flag', bit: deleted, set: true },
  UNDELETED: { kind: 'flag', bit: deleted, set: false },
  DRAFT: { kind: 'flag', bit: draft, set: true },
  UNDRAFT: { kind: 'flag', bit: draft, set: false },
  FLAGGED: { kind: 'flag', bit: flagged, set: true },
  UNFLAGGED: { kind: 'flag', bit: flagged, set: false },
  SEEN: { kind: 'flag', bit: seen, set: true },
  UNSEEN: { kind: 'flag', bit: seen, set: false },
  RECENT: { kind: 'recent' },
  OLD: { kind: 'old' },
  NEW: { kind: 'and', keys: [{ kind: 'recent' }, { kind: 'flag', bit: seen, set: false }] },
  ALL: { kind: 'all' },
}
const fieldKeys = new Set(['BCC', 'CC', 'FROM', 'SUBJECT', 'TO'])
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A reader of texts in a charset of the Encoding Standard.
 *
 * @param name US-ASCII is read as UTF-8: some clients say the one and send the other.
 * @throws {Refusal} NO [BADCHARSET]
 */
function decoderOf(name: string): TextDecoder {
  if (/^(utf-8|us-ascii)$/i.test(name)) return utf8
  try {
    return new TextDecoder(name, { fatal: true, ignoreBOM: true })
  } catch {
    // RFC 3501 §6.4.4: the code says which charsets there are. These two are enough for a client to go on.
    throw refuse('BADCHARSET (US-ASCII UTF-8)', 'Cannot search: charset is not known')
  }
}

/** Reads `["CHARSET" SP astring SP] search-key *(SP search-key)`. @returns One key: several are joined by "and". */
export function parseSearch(reader: CommandReader, bounds: SearchBounds): SearchKey {
  let decoder = utf8
  if (reader.accept('CHARSET ')) {
    decoder = decoderOf(reader.astring())
    reader.space()
  }
  return new SearchParser(reader, bounds, decoder).keys(0)
}

class SearchParser {
  readonly #reader: CommandReader
  readonly #bounds: SearchBounds
  readonly #decoder: TextDecoder
  #keys = 0
  #textKeys = 0

  constructor(reader: CommandReader, bounds: SearchBounds, decoder: TextDecoder) {
    this.#reader = reader
    this.#bounds = bounds
    this.#decoder = decoder
  }

  /** search-key *(SP search-key) */
  keys(depth: number): SearchKey {
    const keys: SearchKey[] = []
    do keys.push(this.#key(depth))
    while (this.#reader.accept(' '))
    return keys.length === 1 ? keys[0]! : { kind: 'and', keys }
  }

  #key(depth: number): SearchKey {
    const reader = this.#reader
    if (depth > this.#bounds.nesting)
      throw bad(`Cannot read SEARCH: nested more than ${this.#bounds.nesting} deep`)
    if (++this.#keys > keysMax) throw bad(`Cannot read SEARCH: more than ${keysMax} keys`)
    if (reader.accept('(')) {
      const key = this.keys(depth + 1)
      reader.expect(')')
      return key
    }
    if (/[0-9*]/.test(reader.next)) return { kind: 'sequence', set: this.#set() }
    const name = reader.atom().toUpperCase()
    const flag = Object.hasOwn(flagKeys, name) ? flagKeys[name] : undefined
    if (flag !== undefined) return flag
    if (name === 'NOT') return this.#not(depth)
    if (name === 'OR') return this.#or(depth)
    return this.#keyWithArgument(name)
  }

  #not(depth: number): SearchKey {
    this.#reader.space()
    return { kind: 'not', key: this.#key(depth + 1) }
  }

  #or(depth: number): SearchKey {
    this.#reader.space()
    const left = this.#key(depth + 1)
    this.#reader.space()
    return { kind: 'or', left, right: this.#key(depth + 1) }
  }

  #keyWithArgument(name: string): SearchKey {
    const reader = this.#reader
    const date = /^(SENT)?(BEFORE|ON|SINCE)$/.exec(name)
    if (date !== null) return this.#date(date[1] === 'SENT' ? 'sent' : 'internal', date[2]!)
    if (fieldKeys.has(name)) return { kind: 'header', name, text: this.#text() }
    switch (name) {
      case 'BODY':
        return { kind: 'body', text: this.#text() }
      case 'TEXT':
        return { kind: 'text', text: this.#text() }
      case 'HEADER':
        reader.space()
        return { kind: 'header', name: reader.astring(), text: this.#text() }
      case 'KEYWORD':
      case 'UNKEYWORD':
        reader.space()
        return { kind: 'keyword', name: reader.atom(), set: name === 'KEYWORD' }
      case 'LARGER':
      case 'SMALLER':
        reader.space()
        return { kind: name === 'LARGER' ? 'larger' : 'smaller', octets: reader.number() }
      case 'UID':
        reader.space()
        return { kind: 'uid', set: this.#set() }
      default:
        throw bad('Cannot read SEARCH: no such key')
    }
  }

  #set(): SequenceSet {
    return parseSequenceSet(this.#reader.sequenceText(), this.#bounds.sequenceRanges)
  }

  #date(field: 'internal' | 'sent', word: string): SearchKey {
    this.#reader.space()
    const quoted = this.#reader.quoted()
    const day = parseDate(quoted ?? this.#reader.atom())
    if (word === 'BEFORE') return { kind: 'date', field, from: Number.NEGATIVE_INFINITY, before: day }
    if (word === 'SINCE') return { kind: 'date', field, from: day, before: Number.POSITIVE_INFINITY }
    return { kind: 'date', field, from: day, before: day + dayMs }
  }

  /** The text to look for. Without CHARSET it is US-ASCII; what is 8-bit all the same is taken for UTF-8. */
  #text(): string {
    this.#reader.space()
    if (++this.#textKeys > textKeysMax) throw bad(`Cannot read SEARCH: more than ${textKeysMax} texts`)
    const octets = this.#reader.astring()
    if (octets.length > textOctetsMax)
      throw refuse('LIMIT', `Cannot search: a text has more than ${textOctetsMax} octets`)
    try {
      return this.#decoder.decode(Buffer.from(octets, 'latin1'))
    } catch {
      throw bad(`Cannot read SEARCH: text is not ${this.#decoder.encoding}`)
    }
  }
}
