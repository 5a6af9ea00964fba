/** Reads SPF records, RFC 7208 §4.6 and §12. Nothing is looked up; any syntax error makes the whole record void. */
import { type IpAddress, readAddress } from '../ip-address.ts'
import { isDomainSpec, isMacroString } from './macro.ts'

export type Qualifier = 'pass' | 'fail' | 'softfail' | 'neutral'

interface Common {
  readonly qualifier: Qualifier
  /** The directive as written. */
  readonly text: string
}

export type Directive = Common &
  (
    | { readonly kind: 'all' }
    | { readonly kind: 'include' | 'exists'; readonly domain: string }
    /** Null: the current domain. */
    | { readonly kind: 'ptr'; readonly domain: string | null }
    | {
        readonly kind: 'a' | 'mx'
        readonly domain: string | null
        readonly bits4: number
        readonly bits6: number
      }
    | { readonly kind: 'ip'; readonly network: IpAddress; readonly bits: number }
  )

export interface SpfRecord {
  readonly directives: readonly Directive[]
  /** Domain-spec, macros not expanded. */
  readonly redirect: string | null
  readonly exp: string | null
}

export interface BadRecord {
  readonly reason: string
}

/** A longer one is no record that anybody wrote by hand, and macros could make it longer yet. */
export const recordOctetsMax = 8_192

/** version = "v=spf1", followed by a blank or nothing; RFC 7208 §4.5 */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

const qualifiers: Readonly<Record<string, Qualifier>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
}

/** record = version terms *SP ; terms = *( 1*SP ( directive / modifier ) ) */
export function parseSpfRecord(text: string): SpfRecord | BadRecord {
  if (text.length > recordOctetsMax) return { reason: `record over ${recordOctetsMax} octets` }
  // §3.1: SPF records are US-ASCII.
  if (/[^\x20-\x7e]/.test(text)) return { reason: 'record has other octets than printable ASCII' }
  const directives: Directive[] = []
  const modifiers: { redirect: string | null; exp: string | null } = { redirect: null, exp: null }
  for (const term of text.split(' ').slice(1)) {
    if (term === '') continue
    const modifier = /^([a-z][a-z0-9_.-]*)=(.*)$/i.exec(term)
    const bad = { reason: `syntax error: ${term.slice(0, 100)}` }
    if (modifier !== null) {
      const name = modifier[1]!.toLowerCase()
      const value = modifier[2]!
      if (name === 'redirect' || name === 'exp') {
        // §6: each at most once.
        if (modifiers[name] !== null) return { reason: `${name}= is there twice` }
        if (!isDomainSpec(value)) return bad
        modifiers[name] = value
      } else if (!isMacroString(value)) return bad
      continue
    }
    const directive = parseDirective(term)
    if (directive === null) return bad
    directives.push(directive)
  }
  return { directives, ...modifiers }
}

/** directive = [ qualifier ] mechanism */
function parseDirective(text: string): Directive | null {
  const qualifier = qualifiers[text[0] ?? ''] ?? 'pass'
  const mechanism = text[0] !== undefined && text[0] in qualifiers ? text.slice(1) : text
  const found = /^([a-z0-9]+)(?::(.*?))?((?:\/\d+)?(?:\/\/\d+)?)$/i.exec(mechanism)
  if (found === null) return null
  const [, name = '', argument, cidr = ''] = found
  const common = { qualifier, text }
  const whole = argument === undefined ? undefined : argument + cidr
  switch (name.toLowerCase()) {
    case 'all':
      return argument === undefined && cidr === '' ? { ...common, kind: 'all' } : null
    case 'include':
    case 'exists':
      return whole === undefined || !isDomainSpec(whole)
        ? null
        : { ...common, kind: name.toLowerCase() as 'include' | 'exists', domain: whole }
    case 'ptr':
      if (argument === undefined && cidr !== '') return null
      return whole === undefined || isDomainSpec(whole)
        ? { ...common, kind: 'ptr', domain: whole ?? null }
        : null
    case 'a':
    case 'mx': {
      const bits = parseDualCidr(cidr)
      if (bits === null || (argument !== undefined && !isDomainSpec(argument))) return null
      return { ...common, kind: name.toLowerCase() as 'a' | 'mx', domain: argument ?? null, ...bits }
    }
    case 'ip4':
    case 'ip6':
      return parseNetwork(common, name.toLowerCase(), argument ?? '', cidr)
    default:
      return null
  }
}

function parseNetwork(common: Common, name: string, argument: string, cidr: string): Directive | null {
  const bitsMax = name === 'ip4' ? 32 : 128
  const bits = cidr === '' ? bitsMax : parseBits(cidr.slice(1), bitsMax)
  // An ip4 network is dotted, an ip6 network is not: also when it is an IPv4-mapped one.
  const network = argument.includes(':') === (name === 'ip6') ? readAddress(argument) : null
  if (bits === null || network === null) return null
  if (name === 'ip6' && network.family === 4) {
    // IPv4-mapped, as the client's address is read too.
    return bits < 96 ? null : { ...common, kind: 'ip', network, bits: bits - 96 }
  }
  return { ...common, kind: 'ip', network, bits }
}

/** dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
function parseDualCidr(text: string): { bits4: number; bits6: number } | null {
  const found = /^(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(text)
  if (found === null) return null
  const bits4 = found[1] === undefined ? 32 : parseBits(found[1], 32)
  const bits6 = found[2] === undefined ? 128 : parseBits(found[2], 128)
  return bits4 === null || bits6 === null ? null : { bits4, bits6 }
}

/** No zero before another digit. */
function parseBits(text: string, max: number): number | null {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= max ? Number(text) : null
}
