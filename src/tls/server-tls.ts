/**
 * The server's side of TLS for all doors: which certificate for which name, what is demanded of the client, and the keys
 * of session tickets.
 *
 * Every door has its own terms (ALPN, client certificates), all share certificates and ticket keys. Whatever is replaced
 * counts from the next handshake on; connections that are up keep what they have.
 */
import { constants, createHash, randomBytes, type X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { TlsTerms } from '../base/peer.ts'
import type { CertificateAndKey } from './certificate.ts'
import { type CertificateFacts, readCertificateFacts } from './certificate-facts.ts'
import { choosingByName } from './choose-by-name.ts'

/** What a door needs for TLS; asked for anew for each handshake, so that a renewed certificate counts. */
export interface ServerTls {
  terms(): TlsTerms
}

/** What one kind of door wants of a handshake. */
export interface DoorTls {
  /** Its ALPN name, RFC 7301 §6: a client that offers others only is turned away. Null: not looked at. */
  readonly protocol: string | null
  /**
   * The accounts that a verified client certificate stands for. Null: no certificate is asked for, nor when no authority
   * for clients is configured.
   */
  readonly identify: ((certificate: X509Certificate) => Promise<readonly string[]>) | null
  /** Told how each handshake ended. */
  readonly ended?: TlsTerms['ended']
}

export interface CertificateSet {
  /** At least one; the first serves clients that name no server, or one that nobody has a certificate for. */
  readonly certificates: readonly CertificateAndKey[]
  /** PEM of the authorities whose client certificates are believed. Null: none are asked for. */
  readonly clientCa: string | null
}

export interface ReloadableServerTls extends ServerTls {
  /** Uses other certificates from the next handshake on. @throws {Error} One cannot be used; all stays as it was. */
  replace(next: CertificateSet | CertificateAndKey): void
  forDoor(door: DoorTls): ServerTls
  /** In the order of the configuration. */
  readonly certificates: readonly CertificateFacts[]
}

/**
 * TLS 1.2's suites, ours first: forward secrecy always; CBC at the very end for mail servers of 2012 that have nothing
 * better for an RSA key, and would otherwise send in the clear. TLS 1.3 has its own list, which needs no choosing.
 */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA384',
].join(':')

/** How long a client may come back with its ticket. */
const ticketLifeSeconds = 7_200
/** Node takes one ticket key at a time: with a new one, what was sealed with the old one leads to a full handshake. */
const ticketKeyMs = 12 * 3_600_000

/** A secret that seals session tickets, for `ticketKeyMs`. */
class TicketKey {
  #octets = randomBytes(48)
  #madeAt: number

  constructor(nowMs: number) {
    this.#madeAt = nowMs
  }

  octets(nowMs: number): Buffer {
    if (nowMs - this.#madeAt >= ticketKeyMs) {
      this.#octets = randomBytes(48)
      this.#madeAt = nowMs
    }
    return this.#octets
  }
}

/**
 * @param now Milliseconds that never run backwards: when ticket keys are renewed.
 * @throws {Error} Certificate and key cannot be read, or do not belong together: the text says which.
 */
export function createServerTls(
  first: CertificateSet | CertificateAndKey,
  now: () => number = () => performance.now(),
): ReloadableServerTls {
  const ticketKey = new TicketKey(now())
  const sealed = (): Buffer => ticketKey.octets(now())
  let current = new Contexts(asSet(first), sealed)
  const forDoor = (door: DoorTls): ServerTls => ({ terms: () => current.terms(door) })
  return {
    ...forDoor({ protocol: null, identify: null }),
    forDoor,
    replace(next) {
      current = new Contexts(asSet(next), sealed)
    },
    get certificates() {
      return current.facts
    },
  }
}

function asSet(given: CertificateSet | CertificateAndKey): CertificateSet {
  return 'certificates' in given ? given : { certificates: [given], clientCa: null }
}

/** The contexts of one set of certificates, twice over: for doors that ask for client certificates and those that do not. */
class Contexts {
  readonly facts: readonly CertificateFacts[]
  readonly #set: CertificateSet
  readonly #ticketKey: () => Buffer
  readonly #choose: (serverName: string) => number
  #madeWith: Buffer
  #anonymous: SecureContext[]
  #known: SecureContext[] | null

  constructor(set: CertificateSet, ticketKey: () => Buffer) {
    if (set.certificates.length === 0) throw new Error('No TLS certificate')
    this.#set = set
    this.#ticketKey = ticketKey
    this.#madeWith = ticketKey()
    this.#anonymous = this.#make(null)
    this.#known = set.clientCa === null ? null : this.#make(set.clientCa)
    this.facts = set.certificates.map(({ certificate }) => readCertificateFacts(certificate))
    this.#choose = choosingByName(this.facts.map(({ names }) => names))
  }

  terms({ protocol, identify, ended }: DoorTls): TlsTerms {
    this.#renew()
    const asks = identify !== null && this.#known !== null
    const contexts = asks ? this.#known! : this.#anonymous
    return {
      context: contexts[0]!,
      contextFor: contexts.length === 1 ? null : (serverName) => contexts[this.#choose(serverName)]!,
      protocol,
      identify: asks ? identify : null,
      ...(ended === undefined ? {} : { ended }),
    }
  }

  #renew(): void {
    if (this.#ticketKey() === this.#madeWith) return
    this.#madeWith = this.#ticketKey()
    this.#anonymous = this.#make(null)
    if (this.#set.clientCa !== null) this.#known = this.#make(this.#set.clientCa)
  }

  #make(clientCa: string | null): SecureContext[] {
    return this.#set.certificates.map((pem) => serverContext(pem, clientCa, this.#madeWith))
  }
}

function serverContext(pem: CertificateAndKey, clientCa: string | null, ticketKey: Buffer): SecureContext {
  try {
    return createSecureContext({
      cert: pem.certificate,
      key: pem.key,
      minVersion: 'TLSv1.2', // RFC 8996 §5 forbids what is older
      ciphers,
      honorCipherOrder: true,
      // Another handshake on a connection costs us a signature each and nobody needs one; TLS 1.3 has none.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      ticketKeys: ticketKey,
      sessionTimeout: ticketLifeSeconds,
      // A ticket carries the client's certificate: it counts only where the same authorities are believed.
      sessionIdContext: createHash('sha256')
        .update(clientCa ?? '')
        .digest('hex')
        .slice(0, 32),
      ...(clientCa === null ? {} : { ca: clientCa }),
    })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot use the TLS certificate and key: ${text}`, { cause: error })
  }
}
