/** Macros of SPF, RFC 7208 §7. */
import { formatAddress, type IpAddress, nibbles } from '../ip-address.ts'

export interface MacroFacts {
  /** local-part@domain; the local part is `postmaster` where there is none, §4.3. */
  readonly sender: string
  /** The domain whose record is being evaluated. */
  readonly domain: string
  readonly address: IpAddress
  readonly helo: string
  /** Ours. */
  readonly receiver: string
  /** Seconds since 1970. */
  readonly now: number
  /** The client's name as %{p} has it. */
  validatedName(): Promise<string>
}

const expand = /%\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}|%%|%_|%-|([^%])|(%)/gi
const inDomain = /^(?:[\x21-\x24\x26-\x7e]|%\{[slodiphv](?:0*[1-9]\d*)?r?[.\-+,/_=]*\}|%[%_-])*$/i
const inExplanation = /^(?:[\x20-\x24\x26-\x7e]|%\{[slodiphcrtv](?:0*[1-9]\d*)?r?[.\-+,/_=]*\}|%[%_-])*$/i

/** macro-string = *( macro-expand / macro-literal ), without the letters that belong to explanations. */
export function isMacroString(text: string): boolean {
  return inDomain.test(text)
}

/** explain-string = *( macro-string / SP ) */
export function isExplainString(text: string): boolean {
  return inExplanation.test(text)
}

/**
 * domain-spec = macro-string domain-end ; domain-end = ( "." toplabel [ "." ] ) / macro-expand
 *
 * A toplabel is not all digits, and has hyphens only inside.
 */
export function isDomainSpec(text: string): boolean {
  if (!isMacroString(text)) return false
  if (/(?:\}|%[%_-])$/.test(text)) return true
  return /\.(?=[a-z0-9-]*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?$/i.test(text)
}

/** Chars that come out at most: §7.3 cuts a domain to 253, and nobody reads a longer explanation. */
const expandedMax = 20_000

/** @returns Null when more came out than anybody needs. */
export async function expandMacros(text: string, facts: MacroFacts): Promise<string | null> {
  const parts: string[] = []
  let length = 0
  for (const [whole, letter, digits, reverse, delimiters, literal] of text.matchAll(expand)) {
    let part: string
    if (literal !== undefined) part = literal
    else if (letter !== undefined) {
      part = transform(await expansionOf(letter.toLowerCase(), facts), {
        digits: digits!,
        reverse: reverse !== '',
        delimiters: delimiters!,
      })
      // §7.3: a capital asks for what URIs want.
      if (letter !== letter.toLowerCase()) part = escapeUri(part)
    } else part = whole === '%%' ? '%' : whole === '%_' ? ' ' : whole === '%-' ? '%20' : whole
    length += part.length
    if (length > expandedMax) return null
    parts.push(part)
  }
  return parts.join('')
}

async function expansionOf(letter: string, facts: MacroFacts): Promise<string> {
  const at = facts.sender.lastIndexOf('@')
  switch (letter) {
    case 's':
      return facts.sender
    case 'l':
      return facts.sender.slice(0, at)
    case 'o':
      return facts.sender.slice(at + 1)
    case 'd':
      return facts.domain
    case 'i':
      // The test suite has the digits in capitals; DNS does not mind.
      return facts.address.family === 4
        ? facts.address.octets.join('.')
        : nibbles(facts.address.octets).join('.').toUpperCase()
    case 'p':
      return facts.validatedName()
    case 'v':
      return facts.address.family === 4 ? 'in-addr' : 'ip6'
    case 'h':
      return facts.helo
    case 'c':
      return formatAddress(facts.address)
    case 'r':
      return facts.receiver
    default:
      return String(facts.now)
  }
}

function transform(
  value: string,
  {
    digits,
    reverse,
    delimiters,
  }: { readonly digits: string; readonly reverse: boolean; readonly delimiters: string },
): string {
  if (digits === '' && !reverse && delimiters === '') return value
  const separators = delimiters === '' ? '.' : delimiters
  const parts: string[] = []
  let part = ''
  for (const char of value) {
    if (separators.includes(char)) {
      parts.push(part)
      part = ''
    } else part += char
  }
  parts.push(part)
  if (reverse) parts.reverse()
  const kept = digits === '' ? parts : parts.slice(-Math.min(Number(digits), parts.length))
  return kept.join('.')
}

/** RFC 3986 §2.3: all but unreserved characters. */
function escapeUri(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/g, (char) =>
    [...Buffer.from(char, 'latin1')]
      .map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}
