/**
 * Who claims to have made an Authentication-Results field.
 *
 * authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS] CRLF ; RFC 8601 §2.2
 *
 * authserv-id = value ; RFC 2045 §5.1: a token or a quoted-string
 *
 * @param value Of the field, as written, still folded, one char per octet.
 * @returns In lower case, without a dot at its end; '' when there is none.
 */
export function authservId(value: string): string {
  const text = value.slice(afterComments(value))
  const found =
    /^"((?:[^"\\]|\\[\s\S])*)"/.exec(text)?.[1]?.replace(/\\([\s\S])/g, '$1') ?? /^[^\s;()]*/.exec(text)![0]
  return found.trim().toLowerCase().replace(/\.$/, '')
}

/** Passes white space and comments, which may lie one inside the other: RFC 5322 §3.2.2. */
function afterComments(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '\\' && depth > 0) at++
    else if (char === '(') depth++
    else if (char === ')' && depth > 0) depth--
    else if (depth === 0 && !/\s/.test(char)) return at
  }
  return text.length
}
