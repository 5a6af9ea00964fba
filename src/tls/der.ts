/** Distinguished Encoding Rules (X.690), writing only, and only what a certificate needs. */

type Der = Uint8Array

function tlv(tag: number, ...parts: readonly Uint8Array[]): Der {
  const content = Buffer.concat(parts)
  const length: number[] = []
  if (content.length < 0x80) {
    length.push(content.length)
  } else {
    for (let rest = content.length; rest > 0; rest >>>= 8) length.unshift(rest & 0xff)
    length.unshift(0x80 | length.length)
  }
  return Buffer.concat([Uint8Array.of(tag, ...length), content])
}

export const sequence = (...parts: readonly Der[]): Der => tlv(0x30, ...parts)
export const set = (...parts: readonly Der[]): Der => tlv(0x31, ...parts)
export const octetString = (octets: Uint8Array): Der => tlv(0x04, octets)
export const boolean = (value: boolean): Der => tlv(0x01, Uint8Array.of(value ? 0xff : 0))
export const utf8String = (text: string): Der => tlv(0x0c, Buffer.from(text, 'utf8'))

/** @param unusedBits Of the last octet. */
export const bitString = (octets: Uint8Array, unusedBits = 0): Der =>
  tlv(0x03, Uint8Array.of(unusedBits), octets)

/** `[number] EXPLICIT`. */
export const explicit = (number: number, ...parts: readonly Der[]): Der => tlv(0xa0 | number, ...parts)

/** `[number] IMPLICIT` of a string or octets. */
export const implicit = (number: number, octets: Uint8Array): Der => tlv(0x80 | number, octets)

/** @param octets Big-endian, not negative; leading zeros are left out as DER wants. */
export function integer(octets: Uint8Array): Der {
  let start = 0
  while (start < octets.length - 1 && octets[start] === 0) start++
  const rest = octets.subarray(start)
  // A first bit of 1 would make it negative.
  return (rest[0] ?? 0) & 0x80 ? tlv(0x02, Uint8Array.of(0), rest) : tlv(0x02, rest)
}

/** @param text Dotted, `2.5.29.17`. */
export function oid(text: string): Der {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const octets: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
    octets.push(...digits)
  }
  return tlv(0x06, Uint8Array.from(octets))
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on. */
export function time(ms: number): Der {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return Number(digits.slice(0, 4)) < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : tlv(0x18, Buffer.from(digits, 'latin1'))
}
