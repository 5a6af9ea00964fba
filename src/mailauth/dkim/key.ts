/** Key records, RFC 6376 §3.6.1 and RFC 8463 §4: from TXT to a public key, or to the reason why it is none. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { decodeBase64, parseTagList, withoutFws } from '../tag-list.ts'
import type { Algorithm } from './algorithm.ts'

export interface DkimKey {
  readonly publicKey: KeyObject
  /** Of the modulus, 256 for Ed25519. */
  readonly bits: number
  /** t=y: the domain is testing, §3.6.1. */
  readonly testing: boolean
  /** t=s: i= must name d= itself. */
  readonly strict: boolean
  /** s=, §3.6.1: it is for mail; and for reports about TLS, RFC 8460 §3. Without s= it is for everything. */
  readonly forMail: boolean
  readonly forTlsReports: boolean
}

export interface BadKey {
  readonly reason: string
}

/** RFC 8301 §3.2: shorter ones must not be taken for good. */
const rsaBitsMin = 1_024
/** Longer ones cost more time than a stranger's mail deserves; §3.2 asks for 4,096. */
const rsaBitsMax = 8_192
/** Everybody uses 65,537; a long exponent makes each verification a hundred times as long. */
const exponentMax = 2n ** 64n
const keyOctetsMax = 4_096

/**
 * @param text Of one TXT record.
 * @param algorithm Of the signature: the key must be of that kind, and allow it.
 */
export function readKey(text: string, algorithm: Algorithm): DkimKey | BadKey {
  const tags = parseTagList(text)
  if (tags === null) return { reason: 'key syntax error' }
  const version = tags.get('v')
  // §3.6.1: v= is recommended, and the first tag when it is there.
  if (version !== undefined && (version !== 'DKIM1' || tags.keys().next().value !== 'v')) {
    return { reason: 'key syntax error: v=' }
  }
  const list = (name: string): string[] | null => {
    const value = tags.get(name)
    return value === undefined ? null : withoutFws(value).split(':')
  }
  if (list('h')?.includes('sha256') === false) return { reason: 'inappropriate hash algorithm' }
  const data = tags.get('p')
  if (data === undefined) return { reason: 'key syntax error: no p=' }
  if (data === '') return { reason: 'key revoked' }
  const kind = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  if ((tags.get('k') ?? 'rsa') !== kind) return { reason: 'inappropriate key algorithm' }
  const key = readPublicKey(data, kind)
  if ('reason' in key) return key
  const flags = list('t') ?? []
  const services = list('s') ?? ['*']
  const serves = (service: string): boolean => services.includes('*') || services.includes(service)
  return {
    ...key,
    testing: flags.includes('y'),
    strict: flags.includes('s'),
    forMail: serves('email'),
    forTlsReports: serves('tlsrpt'),
  }
}

function readPublicKey(
  data: string,
  kind: 'rsa' | 'ed25519',
): { publicKey: KeyObject; bits: number } | BadKey {
  const octets = data.length > keyOctetsMax ? null : decodeBase64(data)
  if (octets === null) return { reason: 'key syntax error: p=' }
  try {
    return kind === 'rsa' ? readRsa(octets) : readEd25519(octets)
  } catch {
    return { reason: 'key syntax error: p= is no key' }
  }
}

/** §3.6.1 says RSAPublicKey, everybody writes SubjectPublicKeyInfo (erratum 3017): both are read. */
function readRsa(der: Buffer): { publicKey: KeyObject; bits: number } | BadKey {
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch {
    publicKey = createPublicKey({ key: der, format: 'der', type: 'pkcs1' })
  }
  if (publicKey.asymmetricKeyType !== 'rsa') return { reason: 'inappropriate key algorithm' }
  const { modulusLength: bits = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {}
  if (bits < rsaBitsMin) return { reason: `key of ${bits} bits is too short` }
  if (bits > rsaBitsMax) return { reason: `key of ${bits} bits is too long` }
  if (publicExponent > exponentMax) return { reason: 'key has too long an exponent' }
  return { publicKey, bits }
}

/** RFC 8463 §4: the 32 octets themselves. */
function readEd25519(octets: Buffer): { publicKey: KeyObject; bits: number } | BadKey {
  if (octets.length !== 32) return { reason: 'key syntax error: p= is not 32 octets' }
  const x = octets.toString('base64url')
  return { publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }), bits: 256 }
}

const cachedKeys = 1_000

/** Keys by the text of their record: the same few sign most mail. The least recently used one goes. */
export class KeyCache {
  readonly #keys = new Map<string, DkimKey | BadKey>()

  read(text: string, algorithm: Algorithm): DkimKey | BadKey {
    const name = `${algorithm} ${text}`
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = readKey(text, algorithm)
      if (this.#keys.size >= cachedKeys) this.#keys.delete(this.#keys.keys().next().value as string)
    } else this.#keys.delete(name)
    if (text.length <= keyOctetsMax) this.#keys.set(name, key)
    return key
  }
}
