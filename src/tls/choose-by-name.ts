/**
 * Chooses among certificates by the name a client asks for (SNI, RFC 6066 §3): the whole name first, then `*.` instead
 * of its first label (RFC 9525 §6.3), then the first certificate.
 *
 * @param namesOf Of each certificate, lower case.
 * @returns Index of the certificate.
 */
export function choosingByName(namesOf: readonly (readonly string[])[]): (serverName: string) => number {
  const byName = new Map<string, number>()
  for (const [index, names] of namesOf.entries()) {
    for (const name of names) if (!byName.has(name)) byName.set(name, index)
  }
  return (serverName) => {
    const name = serverName.toLowerCase().replace(/\.$/, '')
    const dot = name.indexOf('.')
    return byName.get(name) ?? (dot < 0 ? undefined : byName.get(`*${name.slice(dot)}`)) ?? 0
  }
}
