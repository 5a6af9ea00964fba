/** Responses as octets, RFC 3501 §7 and §9. Everything here is one char per octet. */
import type { CommandResult } from './refusal.ts'

/** Text that may stand between quotes: TEXT-CHAR without 8-bit. Longer strings are sent as literals. */
const quotable = /^[\x01-\x09\x0b\x0c\x0e-\x7f]{0,1000}$/

/** string = quoted / literal. */
export function formatString(octets: string): string {
  if (quotable.test(octets)) return `"${octets.replace(/["\\]/g, '\\$&')}"`
  return `{${octets.length}}\r\n${octets}`
}

/** nstring = string / nil. */
export function formatNstring(octets: string | null): string {
  return octets === null ? 'NIL' : formatString(octets)
}

/** astring: an atom where it can be one. `NIL` is quoted, because it would read as nothing. */
export function formatAstring(octets: string): string {
  if (/^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~[]{1,200}$/.test(octets) && octets.toUpperCase() !== 'NIL')
    return octets
  return formatString(octets)
}

/** response-data = "*" SP … CRLF. */
export function untagged(text: string): string {
  return `* ${text}\r\n`
}

/** continue-req = "+" SP (resp-text / base64) CRLF. The space is needed even when nothing follows. */
export function continuation(text: string): string {
  return `+ ${text}\r\n`
}

/** response-tagged = tag SP resp-cond-state CRLF. */
export function tagged(tag: string, result: CommandResult): string {
  return `${tag} ${formatResult(result)}\r\n`
}

/** resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text. */
export function formatResult({ status, code, text }: CommandResult): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?')
  return code === null ? `${status} ${printable}` : `${status} [${code}] ${printable}`
}
