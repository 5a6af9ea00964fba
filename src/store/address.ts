/** The one form in which the program keeps and compares addresses and domains. */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII, domainToUnicode } from 'node:url'

/**
 * RFC 5321 §4.5.3.1.2 and §4.5.3.1.3 (a path of 256 with its angle brackets), in octets. A local part has no bound of its
 * own: docs/decisions/276.
 */
const domainOctets = 255
const addressOctets = 254

/** sub-domain = Let-dig [Ldh-str]; RFC 1035 §2.3.4 bounds it to 63 octets. */
const domainPattern = /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/
/** Dot-string, with the UTF-8 of RFC 6531 §3.3; controls of the upper half and lone surrogates are none. */
const dotStringPattern =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\ud7ff\ue000-\u{10ffff}-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\ud7ff\ue000-\u{10ffff}-]+)*$/u
/** What a quoted string may hold once its backslashes are gone, RFC 5321 §4.1.2. */
const quotedPattern = /^[\x20-\x7e\u00a0-\ud7ff\ue000-\u{10ffff}]*$/u

/** ASCII without quotes: lower case is all that it may want. */
const plainPattern = /^[!#-~]*$/
/** What nearly every address is made of: atoms and labels of ASCII, which have one form. */
const plainAddress =
  /^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-zA-Z0-9]+(?:[.-][a-zA-Z0-9]+)*$/

/**
 * Mailbox = Local-part "@" ( Domain / address-literal )
 *
 * RFC 5321 §4.1.2. Lower case in both halves: RFC 5321 §2.4 leaves the local part to the host that delivers, and no two
 * people here differ only in case. A quoted local part that needs no quotes loses them, so that both spellings are equal.
 *
 * @param text Text, not octets: UTF-8 has been decoded.
 * @returns `local-part@domain`, domain in A-labels; null when the text is no address or too long.
 */
export function normaliseAddress(text: string): string | null {
  // None of the bounds is under 63.
  if (text.length < 64 && plainAddress.test(text)) return text.toLowerCase()
  const at = text.lastIndexOf('@')
  if (at < 1 || text.length > addressOctets * 2) return null
  const localPart = normaliseLocalPart(text.slice(0, at))
  const domainText = text.slice(at + 1)
  const domain = domainText.startsWith('[') ? normaliseLiteral(domainText) : normaliseDomain(domainText)
  if (localPart === null || domain === null) return null
  const address = `${localPart}@${domain}`
  return Buffer.byteLength(address) > addressOctets ? null : address
}

/**
 * Domain = sub-domain *("." sub-domain)
 *
 * @returns Lower case, A-labels (RFC 5890 §2.3.2.1), no dot at the end; null when it is no domain.
 */
export function normaliseDomain(text: string): string | null {
  if (text.length > domainOctets) return null
  // What is ASCII must be LDH: URL rules would undo percent signs, and read "1.2.3" as an IPv4 address.
  if (/[^a-zA-Z0-9.\u0080-\uffff-]/.test(text)) return null
  const ascii = /^[!-~]*$/.test(text) ? text.toLowerCase() : domainToASCII(text.normalize('NFC'))
  return ascii.length <= domainOctets && domainPattern.test(ascii) ? ascii : null
}

/**
 * As addresses are kept and found in the store, whoever asks: what is no address is only lower case, and found nowhere.
 * Most are in their one form already, and that is seen at a glance.
 */
export function keptAddress(text: string): string {
  return plainPattern.test(text) ? text.toLowerCase() : (normaliseAddress(text) ?? text.toLowerCase())
}

/** The same for domains. */
export function keptDomain(text: string): string {
  return plainPattern.test(text) ? text.toLowerCase() : (normaliseDomain(text) ?? text.toLowerCase())
}

/**
 * For people to read: domains in U-labels, RFC 5890 §2.3.2.1.
 *
 * @param text An address or a domain in the form that is kept.
 * @returns The text itself where the other form would not lead back to it.
 */
export function shownName(text: string): string {
  const at = text.lastIndexOf('@') + 1
  const domain = text.slice(at)
  if (!domain.includes('xn--')) return text
  const shown = domainToUnicode(domain)
  return normaliseDomain(shown) === domain ? text.slice(0, at) + shown : text
}

function normaliseLocalPart(text: string): string | null {
  const bare = text.startsWith('"') ? unquote(text) : text
  if (bare === null) return null
  const folded = bare.toLowerCase().normalize('NFC')
  if (dotStringPattern.test(folded)) return folded
  if (bare === text || !quotedPattern.test(folded)) return null
  return `"${folded.replace(/["\\]/g, '\\$&')}"`
}

/** Quoted-string = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE */
function unquote(text: string): string | null {
  const found = /^"((?:[^"\\]|\\[\x20-\x7e])*)"$/u.exec(text)
  return found === null ? null : found[1]!.replace(/\\(.)/gu, '$1')
}

/** address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]" */
function normaliseLiteral(text: string): string | null {
  const found = /^\[(ipv6:)?([0-9a-f.:]{2,45})\]$/i.exec(text)
  if (found === null) return null
  const [, tag, address = ''] = found
  return (tag === undefined ? isIPv4(address) : isIPv6(address)) ? text.toLowerCase() : null
}
