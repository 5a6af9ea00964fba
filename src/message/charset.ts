import { isAscii } from 'node:buffer'
import iconv from 'iconv-lite'

/** Names seen in mail that the Encoding Standard does not know, and what is meant by them. */
const ALIASES: Readonly<Record<string, string>> = {
  'unicode-1-1-utf-7': 'utf-7',
  utf7: 'utf-7',
  cp932: 'shift_jis',
  'windows-932': 'shift_jis',
  'iso-2022-jp-1': 'iso-2022-jp',
  'iso-2022-jp-2': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp50221: 'iso-2022-jp',
  cp936: 'gbk',
  'windows-936': 'gbk',
  'euc-cn': 'gbk',
  cp949: 'euc-kr',
  ms949: 'euc-kr',
  uhc: 'euc-kr',
  'windows-950': 'big5',
  cp950: 'big5',
  latin9: 'iso-8859-15',
  'latin-1': 'iso-8859-1',
  'iso-8859-8-e': 'iso-8859-8',
  cp65001: 'utf-8',
  '8bit': '',
  '7bit': '',
  ascii: '',
  'us-ascii': '',
  'ansi_x3.4-1968': '',
  'iso-ir-6': '',
  iso646: '',
}

/** iconv-lite answers to these as well, but they are no charsets. */
const NO_CHARSETS = new Set(['hex', 'base64', 'base64url', 'binary', 'ucs2', 'internal', 'cesu8', 'utf8'])

/** A string of one char per octet as text: UTF-8 where it is that, otherwise Latin-1. */
export function decodeUtf8OrLatin1(text: string): string {
  return /[\x80-\xff]/.test(text) ? guess(Buffer.from(text, 'latin1')) : text
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

function guess(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return new TextDecoder('windows-1252').decode(octets)
  }
}

/** KS C 5601 between SO and SI, ASCII outside: RFC 1557. */
function decodeIso2022Kr(octets: Uint8Array): string {
  const euc = new Uint8Array(octets.length)
  let length = 0
  let shifted = false
  for (let index = 0; index < octets.length; index++) {
    const octet = octets[index] as number
    if (octet === 0x0e) shifted = true
    else if (octet === 0x0f) shifted = false
    // RFC 1557: the designator ESC $ ) C stands once, at the start of a line.
    else if (octet === 0x1b && octets[index + 1] === 0x24 && octets[index + 2] === 0x29) index += 3
    else {
      if (octet === 0x0a) shifted = false
      euc[length++] = shifted && octet > 0x20 ? octet | 0x80 : octet
    }
  }
  return new TextDecoder('euc-kr').decode(euc.subarray(0, length))
}

/** GB 2312 between `~{` and `~}`, ASCII outside, `~~` a tilde: RFC 1843. */
function decodeHz(octets: Uint8Array): string {
  const gb = new Uint8Array(octets.length)
  let length = 0
  let shifted = false
  for (let index = 0; index < octets.length; index++) {
    const octet = octets[index] as number
    const next = octets[index + 1]
    if (octet === 0x7e && (next === 0x7b || next === 0x7d || next === 0x7e || next === 0x0a)) {
      if (next === 0x7e) gb[length++] = octet
      else if (next !== 0x0a) shifted = next === 0x7b
      index++
    } else {
      if (octet === 0x0a) shifted = false
      gb[length++] = shifted && octet > 0x20 ? octet | 0x80 : octet
    }
  }
  return new TextDecoder('gbk').decode(gb.subarray(0, length))
}

/** RFC 2781 §4.3: UTF-16 without a byte order mark should be read as big-endian. */
function decodeUtf16(octets: Uint8Array): string {
  const littleEndian = octets[0] === 0xff && octets[1] === 0xfe
  return new TextDecoder(littleEndian ? 'utf-16le' : 'utf-16be').decode(octets)
}

/**
 * Octets to text.
 *
 * @param label The charset as the message names it. What is unknown, or US-ASCII with octets above 127, is read
 *   as UTF-8 where it is that and as Latin-1 otherwise.
 * @returns Text, always; octets that mean nothing in their charset become U+FFFD.
 */
export function decodeCharset(octets: Uint8Array, label: string): string {
  const plain = label.trim().toLowerCase().replace(/["']/g, '')
  const name = Object.hasOwn(ALIASES, plain) ? (ALIASES[plain] as string) : plain
  // As most texts are, and a decoder takes longer.
  if ((name === '' || name === 'utf-8') && isAscii(octets)) return latin1(octets)
  if (name === '') return guess(octets)
  if (name === 'iso-2022-kr' || name === 'csiso2022kr') return decodeIso2022Kr(octets)
  if (name === 'hz-gb-2312') return decodeHz(octets)
  if (name === 'utf-16') return decodeUtf16(octets)
  try {
    return new TextDecoder(name).decode(octets)
  } catch {
    if (NO_CHARSETS.has(name) || !iconv.encodingExists(name)) return guess(octets)
    return iconv.decode(Buffer.from(octets.buffer, octets.byteOffset, octets.length), name)
  }
}
