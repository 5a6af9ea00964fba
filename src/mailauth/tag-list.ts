/** Tags that one list may have: more is no record that anybody wrote. */
const tagsMax = 100

/**
 * tag-list = tag-spec *( ";" tag-spec ) [ ";" ] ; tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS] ; RFC 6376 §3.2
 *
 * DKIM, ARC and their keys are written so. Octets over 127 pass: RFC 8616 allows U-labels.
 *
 * @param text One char per octet, folded or not.
 * @returns Values by name, both as written, without white space at their ends; null when it is no tag-list, or a name
 *   is there twice.
 */
export function parseTagList(text: string): Map<string, string> | null {
  const tags = new Map<string, string>()
  const specs = text.split(';')
  if (specs.length > tagsMax) return null
  if (isBlank(specs.at(-1) ?? '') && specs.length > 1) specs.pop()
  for (const spec of specs) {
    const equals = spec.indexOf('=')
    if (equals < 0) return null
    const name = trimFws(spec.slice(0, equals))
    const value = trimFws(spec.slice(equals + 1))
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return null
    if (/[^\x21-\x7e\x80-\xff \t\r\n]/.test(value)) return null
    tags.set(name, value)
  }
  return tags
}

function isBlank(text: string): boolean {
  return trimFws(text) === ''
}

/** Without folding white space at both ends; not trim(), which takes NBSP too. */
export function trimFws(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isFws(text.charCodeAt(from))) from++
  while (to > from && isFws(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

/** Without folding white space anywhere, as in base64 and lists. */
export function withoutFws(text: string): string {
  return text.replace(/[ \t\r\n]+/g, '')
}

function isFws(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 10
}

/** @returns The octets; null when it is not base64. @param text White space in it does not count. */
export function decodeBase64(text: string): Buffer | null {
  const plain = withoutFws(text)
  if (plain === '' || plain.length % 4 === 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(plain)) return null
  return Buffer.from(plain, 'base64')
}
