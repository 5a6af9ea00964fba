import { type BodyDigest, BodyHash, type Canonicalisation } from './body-hash.ts'

/** The hashes that the signatures of one message ask for; two that ask for the same share it. */
export class BodyHashes {
  readonly #hashes = new Map<string, BodyHash>()
  readonly #digests = new Map<string, BodyDigest>()

  /** To be called before the body begins. @param octetsMax Of l=; null for the whole body. */
  want(canonicalisation: Canonicalisation, octetsMax: number | null): void {
    const name = nameOf(canonicalisation, octetsMax)
    if (!this.#hashes.has(name))
      this.#hashes.set(name, new BodyHash(canonicalisation, octetsMax ?? undefined))
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
