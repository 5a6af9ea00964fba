/**
 * Brings a domain name into the form that is compared and kept: lower case, no final dot.
 *
 * @returns Null when no such name can exist: RFC 1035 §2.3.4 bounds a label to 63 octets and a name to 255 (253 as text).
 */
export function normaliseName(name: string): string | null {
  const plain = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
  if (plain === '' || plain.length > 253) return null
  // dns-packet writes a longer label without a murmur; its length octet would then be read as a pointer.
  for (const label of plain.split('.')) if (label === '' || label.length > 63) return null
  return plain
}

/** Printable ASCII without a space: what may stand in a question. U-labels are the caller's to convert. */
export function isAsciiName(name: string): boolean {
  return /^[\x21-\x7e]*$/.test(name)
}

/** RFC 1123 §2.1, with the underscore that is out there in host names too. Nothing else may reach a log or a command. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && /^(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*$/i.test(name)
}

/** Whether the name is the zone's own or lies under it; both normalised. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`)
}
