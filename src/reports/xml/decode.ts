import { BadXml } from './reader.ts'

/** What a declaration may name; each is read as it says. UTF-16 is known by its first octets. */
const encodings = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
])

/** As much of a document as its declaration may take. */
const declarationOctets = 200

/**
 * Octets to text: XML 1.0 §4.3.3. The octet order mark counts before the declaration, and without both it is UTF-8.
 *
 * @throws {BadXml} The encoding is not known, or the octets are not of it.
 */
export function decodeXml(octets: Uint8Array): string {
  const label = encodingOf(octets)
  try {
    return new TextDecoder(label, { fatal: true }).decode(octets)
  } catch (error) {
    throw new BadXml(`Octets are not ${label}`, { cause: error })
  }
}

function encodingOf(octets: Uint8Array): string {
  if (octets[0] === 0xff && octets[1] === 0xfe) return 'utf-16le'
  if (octets[0] === 0xfe && octets[1] === 0xff) return 'utf-16be'
  if (octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf) return 'utf-8'
  const start = Buffer.from(octets.subarray(0, declarationOctets)).toString('latin1')
  const named = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/.exec(start)?.[1]
  if (named === undefined) return 'utf-8'
  const label = encodings.get(named.toLowerCase())
  if (label === undefined) throw new BadXml(`Encoding ${named} is not read`)
  return label
}
