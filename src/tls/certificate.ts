/**
 * Makes X.509 certificates (RFC 5280) on P-256: self-made ones for a server without a real one, and the Lab's own
 * authority. docs/decisions/020 says why this is our own code.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import type { Random } from '../base/random.ts'
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts'

/** A certificate with its private key, both PEM. */
export interface CertificateAndKey {
  /** With the issuing certificates behind it, where there are any. */
  readonly certificate: string
  /** PKCS #8. A secret. */
  readonly key: string
}

export interface ServerNames {
  /** A-labels; the first one is the subject. At least one. */
  readonly hostnames: readonly string[]
  /** IPv4 and IPv6 that the certificate is good for as well. */
  readonly addresses?: readonly string[]
}

export interface Making {
  /** Milliseconds since 1970. The certificate counts from an hour earlier, for clocks that are slow. */
  readonly nowMs: number
  /** Default 730, of an authority 3,650. */
  readonly days?: number
  readonly random: Random
}

const hour = 3_600_000
const day = 24 * hour

/** An authority of our own; `pathLenConstraint` 0: it signs servers and no further authorities. */
export function makeAuthority(name: string, making: Making): CertificateAndKey {
  const keys = newKeys()
  const certificate = build({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    issuerKey: keys.publicKey,
    days: making.days ?? 3_650,
    making,
    extensions: [
      extension('2.5.29.19', true, sequence(boolean(true), integer(Uint8Array.of(0)))),
      // keyCertSign and cRLSign: bits 5 and 6 of RFC 5280 §4.2.1.3.
      extension('2.5.29.15', true, bitString(Uint8Array.of(0b0000_0110), 1)),
    ],
  })
  return { certificate, key: keyPem(keys.privateKey) }
}

/**
 * A server's certificate, signed by an authority of ours; the authority's own certificate is not appended.
 *
 * @param authority As `makeAuthority` gave it, perhaps read back from a file.
 */
export function issueCertificate(
  authority: CertificateAndKey,
  names: ServerNames,
  making: Making,
): CertificateAndKey {
  const signingKey = createPrivateKey(authority.key)
  const issuer = new X509Certificate(authority.certificate).subject.replace(/^CN=/, '')
  return serverCertificate(names, making, newKeys(), {
    issuer,
    signingKey,
    issuerKey: createPublicKey(authority.key),
  })
}

/** A server's certificate that vouches for itself. */
export function makeSelfSigned(names: ServerNames, making: Making): CertificateAndKey {
  const keys = newKeys()
  const issuer = commonName(names)
  return serverCertificate(names, making, keys, {
    issuer,
    signingKey: keys.privateKey,
    issuerKey: keys.publicKey,
  })
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

interface Signer {
  readonly issuer: string
  readonly signingKey: KeyObject
  readonly issuerKey: KeyObject
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}

function serverCertificate(
  names: ServerNames,
  making: Making,
  keys: Keys,
  signer: Signer,
): CertificateAndKey {
  const subject = commonName(names)
  const certificate = build({
    ...signer,
    subject,
    publicKey: keys.publicKey,
    days: making.days ?? 730,
    making,
    extensions: [
      extension('2.5.29.19', true, sequence()),
      // digitalSignature: bit 0. All that an ECDSA key does in TLS.
      extension('2.5.29.15', true, bitString(Uint8Array.of(0b1000_0000), 7)),
      // serverAuth.
      extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
      // RFC 5280 §4.2.1.6: critical when there is no subject.
      extension('2.5.29.17', subject === '', sequence(...generalNames(names))),
    ],
  })
  return { certificate, key: keyPem(keys.privateKey) }
}

/** RFC 5280 appendix A bounds a common name to 64 chars; a longer name stands in subjectAltName only. */
function commonName(names: ServerNames): string {
  const first = names.hostnames[0] ?? ''
  return first.length <= 64 ? first : ''
}

function generalNames(names: ServerNames): Uint8Array[] {
  const { hostnames, addresses = [] } = names
  if (hostnames.length === 0) throw new Error('Cannot make a certificate: no host name')
  for (const name of hostnames) {
    if (!/^(\*\.)?[a-z0-9._-]+$/i.test(name))
      throw new Error(`Cannot make a certificate: ${name} is no host name`)
  }
  return [
    ...hostnames.map((name) => implicit(2, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => implicit(7, addressOctets(address))),
  ]
}

function addressOctets(address: string): Uint8Array {
  const kind = isIP(address)
  if (kind === 4) return Uint8Array.from(address.split('.').map(Number))
  if (kind !== 6 || address.includes('%'))
    throw new Error(`Cannot make a certificate: ${address} is no address`)
  // The URL parser writes `::` and a trailing IPv4 out in one way only.
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  )
}

interface Plan {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signingKey: KeyObject
  readonly issuerKey: KeyObject
  readonly days: number
  readonly making: Making
  readonly extensions: readonly Uint8Array[]
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }, RFC 5280 §4.1. */
function build(plan: Plan): string {
  const { nowMs, random } = plan.making
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256, RFC 5758 §3.2
  const notBefore = nowMs - hour
  const tbs = sequence(
    explicit(0, integer(Uint8Array.of(2))), // v3
    integer(serialNumber(random)),
    algorithm,
    distinguishedName(plan.issuer),
    sequence(time(notBefore), time(nowMs + plan.days * day)),
    distinguishedName(plan.subject),
    plan.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        ...plan.extensions,
        extension('2.5.29.14', false, octetString(keyIdentifier(plan.publicKey))),
        extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(plan.issuerKey)))),
      ),
    ),
  )
  const signature = sign('sha256', tbs, plan.signingKey)
  return pem('CERTIFICATE', sequence(tbs, algorithm, bitString(signature)))
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, never given twice: 127 bits of chance. */
function serialNumber(random: Random): Uint8Array {
  const octets = Uint8Array.from(random.bytes(16))
  octets[0] = (octets[0]! & 0x7f) | 0x40
  return octets
}

/** One common name, or nothing at all. */
function distinguishedName(name: string): Uint8Array {
  return name === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8String(name))))
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical
    ? sequence(oid(id), boolean(true), octetString(value))
    : sequence(oid(id), octetString(value))
}

/** Any value that tells keys apart will do, RFC 5280 §4.2.1.2; this is method 1 of RFC 7093 §2. */
function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
