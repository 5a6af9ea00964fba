/** Of which domain are the authors of a message, RFC 9989 §5.3.1: one that every reader of its From field would name. */
import { parseAddressList } from '../message/address.ts'
import { fieldText } from '../message/header.ts'
import { readDomain } from './domain.ts'

interface Field {
  readonly name: string
  readonly value: string
}

export function isFrom({ name }: Field): boolean {
  return name.toLowerCase() === 'from'
}

/**
 * One From field, whose addresses are all of one domain.
 *
 * @param fields Of the whole header, values folded or not.
 * @returns A-labels; null when there is none, or nobody can say which.
 */
export function readAuthorDomain(fields: readonly Field[]): string | null {
  const from = fields.filter(isFrom)
  if (from.length !== 1) return null
  const text = fieldText(from[0]!.value)
  // The start and the end of a group have no host, a name alone has an empty one.
  const hosts = parseAddressList(text).flatMap(({ host }) => host || [])
  if (countClear(text) !== hosts.length) return null
  const [domain, ...others] = new Set(hosts.map(readDomain))
  return domain === undefined || others.length > 0 ? null : domain
}

/**
 * How many addresses a field has, found in another way than `parseAddressList` does.
 *
 * Of `<x@evil.example> ceo@bank.example` one reader shows the first, another the second; so they do of two brackets, two
 * signs, and of words after a domain.
 *
 * @returns Null when readers may see different ones.
 */
function countClear(text: string): number | null {
  let count = 0
  const bare = withoutOpaque(text).replace(/<\s*@[^<>:]*:/g, '<')
  for (const [piece] of bare.matchAll(/[^,;:]+[,;:]?/g)) {
    const [name, inner, more] = piece.replace(/[,;:]$/, '').split('<', 3)
    if (more !== undefined || (piece.endsWith(':') && piece.includes('@'))) return null
    if (inner === undefined) {
      if (!name!.includes('@')) {
        if (looksLikeAddress(name!)) return null
        continue
      }
      if (!isClearAddress(name!)) return null
    } else {
      const [address, ...after] = inner.split('>')
      if (after.length > 1 || after[0]?.includes('@') === true || /^\s*@/.test(inner)) return null
      if (!isClearAddress(address!)) return null
    }
    count++
  }
  return count
}

/** What stands for a quoted string in which there is an `@`. */
const quotedSign = '"'

/** To a reader who decodes more than there is to decode. */
function looksLikeAddress(name: string): boolean {
  return name.includes(quotedSign) || name.includes('=?') || name.normalize('NFKC').includes('@')
}

function isClearAddress(text: string): boolean {
  const [, domain, more] = text.split('@', 3)
  if (domain === undefined || more !== undefined) return false
  const words = domain.trim().split(/\s+/)
  return words.every(
    (word, index) =>
      !/[()>[]/.test(word) && (index === 0 || word.startsWith('.') || words[index - 1]!.endsWith('.')),
  )
}

const closing = { '"': '"', '(': ')', '[': ']' } as const

/** Comments taken away, and one character for each quoted string and domain literal. In time linear in the text. */
function withoutOpaque(text: string): string {
  let bare = ''
  let from = 0
  const unclosed = new Set<string>()
  for (let at = 0; at < text.length; at++) {
    const opening = text[at]!
    if ((opening !== '"' && opening !== '(' && opening !== '[') || unclosed.has(opening)) continue
    const end = endOf(text, at, opening)
    if (end < 0) unclosed.add(opening)
    else {
      const inside = text.slice(at, end)
      bare +=
        text.slice(from, at) +
        (opening === '(' ? ' ' : inside.includes('@') && opening === '"' ? quotedSign : 'q')
      at = end
      from = end + 1
    }
  }
  return bare + text.slice(from)
}

/** @returns Where the closing character is that belongs to the opening one; -1 when there is none. */
function endOf(text: string, from: number, opening: keyof typeof closing): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (opening === '(' && character === '(') depth++
    else if (at > from && character === closing[opening] && (opening !== '(' || --depth === 0)) return at
  }
  return -1
}
