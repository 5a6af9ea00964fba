import { type BodyDigest, BodyHash, type Canonicalisation } from './body-hash.ts'

/** Different l= of one message: each is a pass over the body, and docs/decisions/161 has little use for them. */
const lengthsMax = 2

/** The hashes that the signatures of one message ask for; two that ask for the same share it. */
export class BodyHashes {
  readonly #hashes = new Map<string, BodyHash>()
  readonly #digests = new Map<string, BodyDigest>()
  #lengths = 0

  /**
   * To be called before the body begins.
   *
   * @param octetsMax Of l=; null for the whole body.
   * @returns False when it is one length too many; then it is not hashed.
   */
  want(canonicalisation: Canonicalisation, octetsMax: number | null): boolean {
    const name = nameOf(canonicalisation, octetsMax)
    if (this.#hashes.has(name)) return true
    if (octetsMax !== null && ++this.#lengths > lengthsMax) return false
    this.#hashes.set(name, new BodyHash(canonicalisation, octetsMax ?? undefined))
    return true
  }

  push(octets: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.push(octets)
  }

  finish(): void {
    for (const [name, hash] of this.#hashes) this.#digests.set(name, hash.finish())
  }

  /** After `finish`. */
  get(canonicalisation: Canonicalisation, octetsMax: number | null): BodyDigest {
    return this.#digests.get(nameOf(canonicalisation, octetsMax)) as BodyDigest
  }
}

function nameOf(canonicalisation: Canonicalisation, octetsMax: number | null): string {
  return `${canonicalisation} ${octetsMax ?? ''}`
}
