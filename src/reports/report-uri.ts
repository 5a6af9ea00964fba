/** Where reports go: the `rua` of a DMARC record and of a TLS-RPT record. */
import { isHostName } from '../dns/name.ts'
import { readDomain } from '../mailauth/domain.ts'

export type ReportUri =
  | {
      readonly kind: 'mailto'
      /** `local-part@domain`, domain in A-labels and lower case. */
      readonly address: string
      readonly domain: string
      /** Octets that it takes at most; null: it does not say. */
      readonly octetsMax: number | null
    }
  | { readonly kind: 'https'; readonly url: string }

/**
 * dmarc-uri = URI [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ], a list of them with commas: RFC 9989; RFC 8460 has no
 * size.
 *
 * @returns Those that can be used, in their order, each once; what is none is passed over.
 */
export function readReportUris(rua: string): ReportUri[] {
  const found = new Map<string, ReportUri>()
  for (const text of rua.split(',').slice(0, urisMax)) {
    const uri = readUri(text.trim())
    if (uri !== null) found.set(uri.kind === 'mailto' ? uri.address : uri.url, uri)
  }
  return [...found.values()]
}

/** Read at most; how many are used is `reportDestinations`. */
const urisMax = 50

function readUri(text: string): ReportUri | null {
  if (/^https:/i.test(text)) {
    const url = URL.parse(text)
    // A name and the usual port: what stands in a stranger's record must not lead us to whatever listens inside.
    const usual = url !== null && url.port === '' && url.username === '' && url.password === ''
    return usual && text.length <= 2_000 ? { kind: 'https', url: url.href } : null
  }
  const [, encoded, size, unit = ''] =
    /^mailto:([^?!]+)(?:\?[^!]*)?(?:!(\d{1,15})([kmgt]?))?$/i.exec(text) ?? []
  if (encoded === undefined) return null
  const address = decode(encoded)
  const at = address?.lastIndexOf('@') ?? -1
  const domain = address === null || at < 1 ? null : readDomain(address.slice(at + 1))
  // RFC 5321 §4.1.2, as Dot-string: what has to be quoted is nobody's address for reports.
  if (
    domain === null ||
    !isHostName(domain) ||
    !/^[\w!#$%&'*+/=?^`{|}~.-]{1,64}$/.test(address!.slice(0, at))
  )
    return null
  const octetsMax =
    size === undefined ? null : Number(size) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ')
  return { kind: 'mailto', address: `${address!.slice(0, at)}@${domain}`, domain, octetsMax }
}

/** RFC 6068 §2. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
