import { decodeCharset } from './charset.ts'
import { decodeBase64, hexDigit } from './transfer-encoding.ts'

/** RFC 2047 §2: an encoded word has at most 75 characters; what is left after `=?utf-8?Q?` and `?=`. */
const ENCODED_TEXT_CHARS = 75 - 12

interface EncodedWord {
  readonly charset: string
  readonly octets: Uint8Array
  /** Index after `?=`. */
  readonly end: number
}

/** RFC 2047 §4.2: the Q encoding. A space inside is not allowed there; it is common, and read as itself. */
function decodeQ(text: string): Buffer {
  const out = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const high = code === 61 ? hexDigit(text.charCodeAt(index + 1)) : -1
    const low = high >= 0 ? hexDigit(text.charCodeAt(index + 2)) : -1
    if (low >= 0) {
      out[length++] = high * 16 + low
      index += 2
    } else out[length++] = code === 95 ? 32 : code
  }
  return out.subarray(0, length)
}

/** encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" ; RFC 2047 §2 */
function parseEncodedWord(text: string, at: number): EncodedWord | null {
  const charsetEnd = text.indexOf('?', at + 2)
  if (charsetEnd <= at + 2) return null
  const encoding = text.charCodeAt(charsetEnd + 1) | 32
  if ((encoding !== 98 && encoding !== 113) || text[charsetEnd + 2] !== '?') return null
  const textEnd = text.indexOf('?', charsetEnd + 3)
  if (textEnd < 0 || text[textEnd + 1] !== '=') return null
  const label = text.slice(at + 2, charsetEnd)
  if (!/^[!-~]{1,64}$/.test(label)) return null
  const encoded = text.slice(charsetEnd + 3, textEnd)
  if (/[^ -~]/.test(encoded)) return null
  // RFC 2231 §5: a language may follow the charset, after an asterisk.
  const charset = label.split('*', 1)[0]?.toLowerCase() ?? ''
  const octets = encoding === 98 ? decodeBase64(Buffer.from(encoded, 'latin1')) : decodeQ(encoded)
  return { charset, octets, end: textEnd + 2 }
}

/**
 * Text with its encoded words decoded, RFC 2047 §6. What only looks like an encoded word is left as it is.
 *
 * The result can hold any character, controls and line ends too: it is for showing, never for a header.
 */
export function decodeEncodedWords(text: string): string {
  let at = text.indexOf('=?')
  if (at < 0) return text
  let out = ''
  let done = 0
  // Octets of adjacent words of one charset are joined first: senders cut through multi-byte characters.
  let charset = ''
  let octets: Uint8Array[] = []
  const flush = () => {
    if (octets.length > 0) out += decodeCharset(Buffer.concat(octets), charset)
    octets = []
  }
  while (at >= 0) {
    const word = parseEncodedWord(text, at)
    if (word === null) {
      at = text.indexOf('=?', at + 1)
      continue
    }
    const between = text.slice(done, at)
    // RFC 2047 §6.2: white space between two encoded words is ignored.
    const adjacent = octets.length > 0 && between.trim() === ''
    if (!adjacent || word.charset !== charset) flush()
    if (!adjacent) out += between
    charset = word.charset
    octets.push(word.octets)
    done = word.end
    at = text.indexOf('=?', done)
  }
  flush()
  return out + text.slice(done)
}

/** Each octet in the Q encoding within a phrase, the narrowest place: RFC 2047 §5 (3). */
const inQ = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet)
  if (character === ' ') return '_'
  if (/^[A-Za-z0-9!*+\-/]$/.test(character)) return character
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
})

function encodeRun(text: string): string {
  const octets = Buffer.from(text, 'utf8')
  let qLength = 0
  for (const octet of octets) qLength += inQ[octet]!.length
  // Q can be read by people while few characters need it, though base64 might be shorter.
  const useQ = qLength <= octets.length * 2.5
  const words: string[] = []
  const word = (from: number, to: number): string =>
    useQ
      ? `=?utf-8?Q?${Array.from(octets.subarray(from, to), (octet) => inQ[octet]).join('')}?=`
      : `=?utf-8?B?${octets.toString('base64', from, to)}?=`
  const most = useQ ? ENCODED_TEXT_CHARS : Math.floor(ENCODED_TEXT_CHARS / 4) * 3
  let from = 0
  let size = 0
  // RFC 2047 §5: no character may be cut by the end of a word, and each word stands alone.
  for (let at = 0; at < octets.length; ) {
    let cost = 0
    let end = at
    do cost += useQ ? inQ[octets[end]!]!.length : 1
    while ((octets[++end]! & 0xc0) === 0x80)
    if (size + cost > most) {
      words.push(word(from, at))
      from = at
      size = 0
    }
    size += cost
    at = end
  }
  words.push(word(from, octets.length))
  return words.join(' ')
}

/** Text that may not stand for itself; also a word so long that no fold could keep its line under 998 octets. */
const ODD = /[^ -~]|=\?|(?<![^ ])[^ ]{700}/

/**
 * Text as a header may carry it: ASCII as it is, from the first to the last other word as encoded words of at most
 * 75 characters with a space between. `decodeEncodedWords` gives the same text again.
 *
 * @param also Which other words, parted by single blanks, may not stand for themselves where the text goes.
 */
export function encodeWords(text: string, also: RegExp = ODD): string {
  if (!ODD.test(text)) return text
  const words = text.toWellFormed().split(' ')
  const odd = (word: string) => ODD.test(word) || also.test(word)
  const first = words.findIndex(odd)
  const last = words.findLastIndex(odd)
  return [
    ...words.slice(0, first),
    encodeRun(words.slice(first, last + 1).join(' ')),
    ...words.slice(last + 1),
  ].join(' ')
}
