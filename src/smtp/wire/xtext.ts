/**
 * xtext = *( xchar / hexchar ) ; xchar is %d33-126 but "+" and "=", hexchar is "+" and two digits in capitals
 *
 * RFC 3461 §4; used for ENVID, ORCPT, AUTH in MAIL and XCLIENT.
 *
 * @returns One char per octet; null when it is none.
 */
export function decodeXtext(text: string): string | null {
  if (!/^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/.test(text)) return null
  return text.replace(/\+(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
