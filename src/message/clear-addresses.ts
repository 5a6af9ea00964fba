/** Whether all readers of an address list find the same addresses in it. */
import { parseAddressList } from './address.ts'

/** What stands for a quoted string in which there is an `@`. */
export const quotedSign = '"'

/**
 * @param text Unfolded.
 * @param isMistaken Whether a name without an address, quoted strings left out, could be taken for one.
 * @returns The hosts of all addresses; null when readers may find different ones.
 */
export function clearHosts(
  text: string,
  isMistaken: (name: string) => boolean = () => false,
): readonly string[] | null {
  // The start and the end of a group have no host, a name alone has an empty one.
  const hosts = parseAddressList(text).flatMap(({ host }) => host || [])
  return countClear(text, isMistaken) === hosts.length ? hosts : null
}

/**
 * How many addresses a field has, found in another way than `parseAddressList` does.
 *
 * Of `<x@evil.example> ceo@bank.example` one reader shows the first, another the second; so they do of two brackets, two
 * signs, and of words after a domain.
 *
 * @param isMistaken Whether a piece without an address could be taken for one, as `withoutOpaque` gives it.
 * @returns Null when readers may see different ones.
 */
function countClear(text: string, isMistaken: (name: string) => boolean): number | null {
  let count = 0
  const bare = withoutOpaque(text).replace(/<\s*@[^<>:]*:/g, '<')
  for (const [piece] of bare.matchAll(/[^,;:]+[,;:]?/g)) {
    const [name, inner, more] = piece.replace(/[,;:]$/, '').split('<', 3)
    if (more !== undefined || (piece.endsWith(':') && piece.includes('@'))) return null
    const [address, ...after] = (inner ?? name)!.split('>')
    if (after.length > (inner === undefined ? 0 : 1) || after[0]?.includes('@') === true) return null
    if (!address!.includes('@')) {
      if (isMistaken(address!) || (inner !== undefined && name!.includes('@'))) return null
      continue
    }
    if (!isClearAddress(address!) || (inner !== undefined && /^\s*@/.test(inner))) return null
    count++
  }
  return count
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
