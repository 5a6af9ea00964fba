/**
 * The Sender Rewriting Scheme: what a forwarder puts into the reverse-path, so that SPF passes where the letter goes, and a
 * bounce finds back. There is no RFC; the forms are those of Shevek's paper (2004) that all implementations share:
 *
 *     SRS0=HASH=TT=domain=local-part@forwarder          the first forwarder
 *     SRS1=HASH=first-forwarder==HASH=TT=domain=local-part@forwarder    any later one
 *
 * What holds: an address is only read back when this key made it, so that nobody can make us send to an address of his
 * choice; and one of ours is never wrapped again by us, so that it leads to a shorter one each time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { normaliseAddress, normaliseDomain } from '../store/address.ts'

/** RFC 5321 §4.5.3.1.1 and §4.5.3.1.3: what other servers need not take is not written. */
const localPartOctets = 64
const addressOctets = 254
/** 40 bits: with 20, as many programs have it, somebody would guess one in days. */
const hashOctets = 5
const dayMs = 86_400_000
/** A time stamp is two digits of base 32. */
const stampDays = 1_024
/** RFC 5321 §4.5.4.1 lets a server try for five days; several may stand one behind the other. */
export const srsDays = 21

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const dotString = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/

/** Whether an address may be one that was rewritten: `reverse` knows. */
export function looksRewritten(address: string): boolean {
  return /^srs[01]=/i.test(address)
}

/**
 * @param reversePath `local-part@domain` of a sender elsewhere.
 * @param domain Ours, whose mail comes here.
 * @returns Null when it cannot be written so that every server takes it: then it had better stay as it is.
 */
export function rewrite(key: Uint8Array, reversePath: string, domain: string, now: number): string | null {
  const at = reversePath.lastIndexOf('@')
  const localPart = reversePath.slice(0, at)
  const host = normaliseDomain(reversePath.slice(at + 1))
  if (at < 1 || host === null || !dotString.test(localPart)) return null
  const local = again(key, localPart, host) ?? first(key, localPart, host, now)
  const address = `${local}@${domain}`
  return local.length > localPartOctets || address.length > addressOctets ? null : address
}

function first(key: Uint8Array, localPart: string, host: string, now: number): string {
  const stamp = stampOf(dayOf(now))
  return `SRS0=${hash(key, ['0', stamp, host, localPart])}=${stamp}=${host}=${localPart}`
}

/** Of what others have rewritten already, the first of them keeps what only it can read; those between are left out. */
function again(key: Uint8Array, localPart: string, host: string): string | null {
  const [, rest0] = /^SRS0([=+-].+)$/i.exec(localPart) ?? []
  if (rest0 !== undefined) return `SRS1=${hash(key, ['1', host, rest0])}=${host}=${rest0}`
  const [, hop, rest1] = /^SRS1[=+-][^=]+=([^=]+)=([=+-].+)$/i.exec(localPart) ?? []
  const firstHop = hop === undefined ? null : normaliseDomain(hop)
  if (firstHop === null || rest1 === undefined) return null
  return `SRS1=${hash(key, ['1', firstHop, rest1])}=${firstHop}=${rest1}`
}

/**
 * @param address As it stands in RCPT; its domain is ours.
 * @returns Whom it was made of, one step back; null when this key has not made it, or more than `srsDays` ago.
 */
export function reverse(key: Uint8Array, address: string, now: number): string | null {
  const localPart = address.slice(0, address.lastIndexOf('@'))
  const zero = /^SRS0=([A-Z2-7]+)=([A-Z2-7]{2})=([^=]+)=(.+)$/i.exec(localPart)
  if (zero !== null) {
    const [, given = '', stamp = '', host = '', local = ''] = zero
    if (!isOurs(key, given, ['0', stamp, host, local]) || !isFresh(stamp, now)) return null
    return asAddress(local, host)
  }
  const one = /^SRS1=([A-Z2-7]+)=([^=]+)=([=+-].+)$/i.exec(localPart)
  if (one === null) return null
  const [, given = '', hop = '', rest = ''] = one
  return isOurs(key, given, ['1', hop, rest]) ? asAddress(`SRS0${rest}`, hop) : null
}

function asAddress(localPart: string, host: string): string | null {
  const address = `${localPart}@${host.toLowerCase()}`
  return normaliseAddress(address) === null ? null : address
}

/** Of lower case: some servers change it on the way back. A NUL stands in none of the parts. */
function hash(key: Uint8Array, parts: readonly string[]): string {
  const text = parts.join('\0').toLowerCase()
  const digest = createHmac('sha256', key).update(text).digest()
  let bits = 0n
  for (const octet of digest.subarray(0, hashOctets)) bits = bits * 256n + BigInt(octet)
  let out = ''
  for (let digit = 0; digit < (hashOctets * 8) / 5; digit++) {
    out = base32.charAt(Number(bits % 32n)) + out
    bits /= 32n
  }
  return out
}

function isOurs(key: Uint8Array, given: string, parts: readonly string[]): boolean {
  const expected = Buffer.from(hash(key, parts))
  const got = Buffer.from(given.toUpperCase())
  return got.length === expected.length && timingSafeEqual(got, expected)
}

function dayOf(now: number): number {
  return Math.floor(now / dayMs)
}

function stampOf(day: number): string {
  const number = day % stampDays
  return base32.charAt(number >> 5) + base32.charAt(number & 31)
}

/** A clock that was set back a day must not lose bounces. */
function isFresh(stamp: string, now: number): boolean {
  const [high, low] = [...stamp.toUpperCase()].map((digit) => base32.indexOf(digit)) as [number, number]
  const age = (dayOf(now) - (high * 32 + low) + 2 * stampDays) % stampDays
  return age <= srsDays || age === stampDays - 1
}
