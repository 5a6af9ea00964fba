/**
 * Whether a filter's text may stand in a MAIL or RCPT command as a path: what it wants is said to other servers later.
 *
 * @param text `local-part@domain` as the wire has it, or ''. Whether it is an address is for those to find out who deliver.
 */
export function isPath(text: string): boolean {
  // RFC 5321 §4.5.3.1.3: 256 octets with punctuation; addresses of RFC 6531 have more.
  return text.length <= 1_000 && !/[\x00-\x1f\x7f<>]/.test(text)
}
