/** Flags and keywords, RFC 3501 §2.3.2. */
import type { CommandReader } from './reader.ts'
import { bad } from './refusal.ts'

/** The system flags a client may set, in the order they are told. Bit i of a set is entry i. */
export const systemFlags = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const

export const seen = 1
export const answered = 2
export const flagged = 4
export const deleted = 8
export const draft = 16

export interface FlagList {
  /** Sum of the bits above. */
  readonly flags: number
  /** As written, each once. */
  readonly keywords: readonly string[]
}

const bits = new Map(systemFlags.map((name, index) => [name.toUpperCase(), 1 << index]))
/** A keyword is kept with its mailbox for ever, so its length has a bound. */
const keywordOctets = 200
const keywordsPerCommand = 100

/**
 * flag-list = "(" [flag *(SP flag)] ")"
 *
 * @param bare Whether the parentheses may be missing, as STORE allows.
 */
export function parseFlagList(reader: CommandReader, bare: boolean): FlagList {
  const names: string[] = []
  if (reader.accept('(')) {
    if (!reader.accept(')')) {
      do names.push(parseFlag(reader))
      while (reader.accept(' '))
      reader.expect(')')
    }
  } else if (bare) {
    do names.push(parseFlag(reader))
    while (reader.accept(' '))
  } else {
    throw bad('Cannot read flags: expected (')
  }
  return gatherFlags(names)
}

function parseFlag(reader: CommandReader): string {
  const backslash = reader.accept('\\') ? '\\' : ''
  return backslash + reader.atom()
}

function gatherFlags(names: readonly string[]): FlagList {
  let flags = 0
  const keywords = new Map<string, string>()
  for (const name of names) {
    if (!name.startsWith('\\')) {
      if (name.length > keywordOctets) throw bad('Cannot read flags: keyword is too long')
      keywords.set(name.toUpperCase(), name)
      continue
    }
    const bit = bits.get(name.toUpperCase())
    // RFC 3501 §9 (flag): "Does not include \Recent", which cannot be altered (§2.3.2).
    if (bit === undefined) throw bad('Cannot read flags: no such system flag')
    flags |= bit
  }
  if (keywords.size > keywordsPerCommand)
    throw bad(`Cannot read flags: more than ${keywordsPerCommand} keywords`)
  return { flags, keywords: [...keywords.values()] }
}

/** Writes flags between parentheses. @param recent Whether \Recent is among them. */
export function formatFlags(flags: number, keywords: readonly string[], recent: boolean): string {
  const names: string[] = systemFlags.filter((_name, index) => (flags & (1 << index)) !== 0)
  if (recent) names.push('\\Recent')
  return `(${[...names, ...keywords].join(' ')})`
}
