/** Reads DKIM-Signature fields, RFC 6376 §3.5 and §6.1.1: meticulously, any inconsistency makes the field void. */
import { isSubdomainOrSame, readDomain } from '../domain.ts'
import { decodeBase64, parseTagList, trimFws, withoutFws } from '../tag-list.ts'
import { type Algorithm, isAlgorithm } from './algorithm.ts'
import type { Canonicalisation } from './body-hash.ts'
import type { SignedField } from './canonical-header.ts'

/** What every signature of the DKIM family has: DKIM-Signature, ARC-Message-Signature, ARC-Seal. */
export interface SignatureCore {
  readonly field: SignedField
  readonly algorithm: Algorithm
  /** A-labels, lower case. */
  readonly domain: string
  readonly selector: string
  readonly signature: Buffer
  /** Seconds since 1970; null when not said. */
  readonly signedAt: number | null
}

/** Those that cover a body too. */
export interface MessageSignature extends SignatureCore {
  readonly headerCanonicalisation: Canonicalisation
  readonly bodyCanonicalisation: Canonicalisation
  /** Of h=, lower case, in order. */
  readonly names: readonly string[]
  /** Base64 without white space. */
  readonly bodyHash: string
  /** Of l=; null: the whole body. */
  readonly bodyOctets: number | null
  /** Seconds since 1970. */
  readonly expiresAt: number | null
}

export interface DkimSignature extends MessageSignature {
  /** Of i=, `@domain` when not said. */
  readonly identity: string
  readonly identityDomain: string
}

/** Why a field is no signature; the words are those of RFC 6376 §6.1 where it has some. */
export interface BadSignature {
  readonly reason: string
  /** True: the field is well formed, but not acceptable (rsa-sha1). */
  readonly wellFormed: boolean
  readonly domain: string | null
  readonly selector: string | null
  readonly algorithm: string | null
}

export type Tags = ReadonlyMap<string, string>

/** Octets of one such field; RSA with 8,192 bits and every header field signed take a quarter. */
export const signatureFieldOctetsMax = 16_384
/** Names in one h=. */
const namesMax = 1_000

class SyntaxFault extends Error {
  readonly wellFormed: boolean

  constructor(reason: string, wellFormed = false) {
    super(reason)
    this.wellFormed = wellFormed
  }
}

/** @throws {SyntaxFault} */
function fault(reason: string, wellFormed = false): never {
  throw new SyntaxFault(reason, wellFormed)
}

/** Reads the tags of a field and hands them to `read`; what is wrong comes back as a value. */
export function readTags<T>(field: SignedField, read: (tags: Tags) => T): T | BadSignature {
  if (field.raw.length > signatureFieldOctetsMax)
    return bad(`field over ${signatureFieldOctetsMax} octets`, null)
  const tags = parseTagList(field.value)
  if (tags === null) return bad('signature syntax error', null)
  try {
    return read(tags)
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return bad(error.message, tags, error.wellFormed)
  }
}

function bad(reason: string, tags: Tags | null, wellFormed = false): BadSignature {
  return {
    reason,
    wellFormed,
    domain: readDomain(tags?.get('d') ?? ''),
    selector: readDomain(tags?.get('s') ?? ''),
    algorithm: tags?.get('a')?.slice(0, 100) ?? null,
  }
}

export function readDkimSignature(field: SignedField): DkimSignature | BadSignature {
  return readTags(field, (tags) => {
    const version = required(tags, 'v')
    if (version !== '1') fault('incompatible version')
    const message = readMessageTags(field, tags)
    // RFC 6376 §5.4: the From field is what it is all about.
    if (!message.names.includes('from')) fault('From field not signed')
    const identity = tags.get('i') ?? `@${message.domain}`
    const identityDomain = readDomain(identity.slice(identity.lastIndexOf('@') + 1))
    if (!identity.includes('@') || identityDomain === null) fault('signature syntax error: i=')
    if (!isSubdomainOrSame(identityDomain, message.domain)) fault('domain mismatch: i= is not within d=')
    const methods = tags.get('q')
    if (methods !== undefined && !withoutFws(methods).split(':').includes('dns/txt')) {
      fault('unknown query method')
    }
    return { ...message, identity: identity.slice(0, 300), identityDomain }
  })
}

/** @throws {SyntaxFault} */
export function readCoreTags(field: SignedField, tags: Tags): SignatureCore {
  const algorithm = required(tags, 'a')
  const domain = readDomain(required(tags, 'd'))
  const selector = readDomain(required(tags, 's'))
  const signature = decodeBase64(required(tags, 'b'))
  if (domain === null) fault('signature syntax error: d=')
  if (selector === null) fault('signature syntax error: s=')
  if (signature === null) fault('signature syntax error: b=')
  // RFC 8301 §3.1: such a signature must be taken as failed.
  if (algorithm === 'rsa-sha1') fault('rsa-sha1 is not accepted any more', true)
  if (!isAlgorithm(algorithm)) fault('unknown algorithm', true)
  return { field, algorithm, domain, selector, signature, signedAt: seconds(tags, 't') }
}

/** @throws {SyntaxFault} */
export function readMessageTags(field: SignedField, tags: Tags): MessageSignature {
  const core = readCoreTags(field, tags)
  const bodyHash = required(tags, 'bh')
  if (decodeBase64(bodyHash) === null) fault('signature syntax error: bh=')
  const [headerCanonicalisation, bodyCanonicalisation] = readCanonicalisation(tags.get('c'))
  const expiresAt = seconds(tags, 'x')
  if (expiresAt !== null && core.signedAt !== null && expiresAt <= core.signedAt) {
    fault('signature syntax error: x= is not after t=')
  }
  return {
    ...core,
    headerCanonicalisation,
    bodyCanonicalisation,
    names: readNames(tags.get('h')),
    bodyHash: withoutFws(bodyHash),
    bodyOctets: octets(tags.get('l')),
    expiresAt,
  }
}

/** sig-c-tag-alg = ( "simple" / "relaxed" ) [ "/" ( "simple" / "relaxed" ) ] */
function readCanonicalisation(value = 'simple/simple'): [Canonicalisation, Canonicalisation] {
  const [header, body = 'simple', ...more] = value.split('/')
  const known = (text: string | undefined): text is Canonicalisation =>
    text === 'simple' || text === 'relaxed'
  if (!known(header) || !known(body) || more.length > 0) fault('signature syntax error: c=')
  return [header, body]
}

/** sig-h-tag = hdr-name *( [FWS] ":" [FWS] hdr-name ); an empty one is left to the caller. */
function readNames(value: string | undefined): string[] {
  if (value === undefined) fault('signature missing required tag h=')
  if (value === '') return []
  const names = value.split(':').map((name) => trimFws(name).toLowerCase())
  if (names.length > namesMax) fault(`h= has over ${namesMax} names`)
  if (names.some((name) => /[^\x21-\x7e]/.test(name))) fault('signature syntax error: h=')
  return names
}

function seconds(tags: Tags, name: string): number | null {
  const value = tags.get(name)
  if (value === undefined) return null
  if (!/^\d{1,12}$/.test(value)) fault(`signature syntax error: ${name}=`)
  return Number(value)
}

/** Up to 76 digits are allowed; nobody has such a body. */
function octets(value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^\d{1,76}$/.test(value)) fault('signature syntax error: l=')
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
}

/** @throws {SyntaxFault} */
export function required(tags: Tags, name: string): string {
  const value = tags.get(name)
  if (value === undefined || value === '') fault(`signature missing required tag ${name}=`)
  return value
}

/** For other readers of this family. @throws {SyntaxFault} */
export function refuseTag(tags: Tags, name: string): void {
  if (tags.has(name)) fault(`signature syntax error: ${name}= has no place here`)
}

/** @throws {SyntaxFault} */
export function refuseField(reason: string): never {
  fault(reason)
}
