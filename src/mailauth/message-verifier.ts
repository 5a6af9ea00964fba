/**
 * Judges what a message carries with it, DKIM signatures and an ARC chain, while it comes in: the header is kept within its
 * bound, the body hashed once for all that ask for the same hash, and keys are looked up in the meantime.
 */
import { HeaderSplitter } from '../message/header-splitter.ts'
import { latin1, parseHeader } from '../message/header.ts'
import { type ArcResult, ArcVerifier } from './arc/verifier.ts'
import { isFrom, readAuthorDomain } from './author-domain.ts'
import { BodyHashes } from './dkim/body-hashes.ts'
import { signedField } from './dkim/canonical-header.ts'
import { type DkimResult, DkimVerifier, type DkimWorld } from './dkim/verifier.ts'

export interface MessageLimits {
  readonly headerOctets: number
  readonly headerFields: number
  readonly dkimSignatures: number
  readonly arcSets: number
}

export interface MessageVerdict {
  readonly dkim: readonly DkimResult[]
  /** Signatures that nobody looked at, over the bound. */
  readonly dkimSkipped: number
  readonly arc: ArcResult
  /** Of the From field, A-labels; null when it has none or several, or there is not exactly one such field. */
  readonly authorDomain: string | null
  /** It has a From field, but nobody can tell of which one domain its authors are. */
  readonly authorUnclear: boolean
  /** It has a List-Id field, RFC 2919: it says that it came through a mailing list. */
  readonly hasListId: boolean
}

export class MessageVerifier {
  readonly #world: DkimWorld
  readonly #limits: MessageLimits
  readonly #splitter: HeaderSplitter
  readonly #bodies = new BodyHashes()
  #dkim: DkimVerifier | null = null
  #arc: ArcVerifier | null = null
  #authorDomain: string | null = null
  #authorUnclear = false
  #hasListId = false

  constructor(world: DkimWorld, limits: MessageLimits) {
    this.#world = world
    this.#limits = limits
    this.#splitter = new HeaderSplitter(limits.headerOctets)
  }

  /** As in the verdict; null until the header has come. */
  get authorDomain(): string | null {
    return this.#authorDomain
  }

  /** The message as received, header first; any cut. Nothing is kept of the chunk itself. */
  push(octets: Uint8Array): void {
    const body = this.#splitter.push(octets)
    if (this.#splitter.known) this.#begin()
    if (body !== null) this.#bodies.push(body)
  }

  /** Ends the message; once. Waits for DNS; never fails for what it says. */
  async finish(): Promise<MessageVerdict> {
    const rest = this.#splitter.finish()
    this.#begin()
    if (rest !== null) this.#bodies.push(rest)
    this.#bodies.finish()
    const [dkim, arc] = await Promise.all([this.#dkim!.finish(), this.#arc!.finish()])
    const author = {
      authorDomain: this.#authorDomain,
      authorUnclear: this.#authorUnclear,
      hasListId: this.#hasListId,
    }
    return { dkim, dkimSkipped: this.#dkim!.skipped, arc, ...author }
  }

  #begin(): void {
    if (this.#dkim !== null) return
    const text = latin1(this.#splitter.header)
    const fields = parseHeader(text, this.#limits.headerFields).fields.map((field) =>
      signedField(field, text),
    )
    this.#authorDomain = readAuthorDomain(fields)
    this.#authorUnclear = this.#authorDomain === null && fields.some(isFrom)
    this.#hasListId = fields.some(({ name }) => name.toLowerCase() === 'list-id')
    this.#dkim = new DkimVerifier(this.#world, fields, this.#bodies, {
      signaturesMax: this.#limits.dkimSignatures,
      authorDomain: this.#authorDomain,
    })
    this.#arc = new ArcVerifier(this.#world, fields, this.#bodies, { setsMax: this.#limits.arcSets })
  }
}
