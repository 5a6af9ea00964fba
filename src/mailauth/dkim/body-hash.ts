/**
 * The body as DKIM hashes it, RFC 6376 §3.4.3 and §3.4.4, while it comes in.
 *
 * Empty lines at the end of a body do not count, so they are held back as a number. Past `heldLinesMax` the state of
 * the hash is put aside and they are hashed as they come, so that no single piece has to make up for millions of them.
 */
import { createHash, type Hash } from 'node:crypto'

export type Canonicalisation = 'simple' | 'relaxed'

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
/** Octets that are gathered before they go to the hash. */
const gatheredOctets = 16_384
const heldLinesMax = 4_096
const emptyLines = Buffer.from('\r\n'.repeat(heldLinesMax))

export interface BodyDigest {
  /** Base64. */
  readonly hash: string
  /** Octets of the canonicalised body, and how many of them were hashed. */
  readonly octets: number
  readonly hashedOctets: number
}

export class BodyHash {
  readonly #canonicalisation: Canonicalisation
  /** Of l=, RFC 6376 §3.5; infinite without it. */
  readonly #octetsMax: number
  #hash: Hash
  #octets = 0
  /** As it was before the empty lines that have been hashed in advance. */
  #before: { hash: Hash; octets: number } | null = null
  /** CRLFs that count only when something follows them. */
  #lines = 0
  #cr = false
  #blank = false
  #empty = true
  #out: Buffer | null = null
  #used = 0

  constructor(
    canonicalisation: Canonicalisation,
    octetsMax = Number.POSITIVE_INFINITY,
    algorithm = 'sha256',
  ) {
    this.#canonicalisation = canonicalisation
    this.#octetsMax = octetsMax
    this.#hash = createHash(algorithm)
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    if (this.#canonicalisation === 'simple') this.#pushSimple(chunk)
    else this.#pushRelaxed(chunk)
  }

  finish(): BodyDigest {
    if (this.#cr) {
      this.#empty = false
      if (this.#canonicalisation === 'relaxed') this.#owed()
      else this.#content(Buffer.of(CR))
      this.#cr = false
    }
    this.#flush()
    if (this.#before !== null) {
      this.#hash = this.#before.hash
      this.#octets = this.#before.octets
    }
    // RFC 6376 §3.4.3: no body at all is one CRLF; §3.4.4: or nothing.
    if (!this.#empty || this.#canonicalisation === 'simple') this.#update(emptyLines.subarray(0, 2))
    const octets = this.#octets
    return { hash: this.#hash.digest('base64'), octets, hashedOctets: Math.min(octets, this.#octetsMax) }
  }

  /** Everything up to the empty lines at the end goes on as it is. */
  #pushSimple(chunk: Uint8Array): void {
    let from = 0
    if (this.#cr) {
      this.#cr = false
      if (chunk[0] === LF) {
        this.#line()
        from = 1
      } else this.#content(Buffer.of(CR))
    }
    let end = chunk.length
    const endsWithCr = end > from && chunk[end - 1] === CR
    if (endsWithCr) end--
    let lines = 0
    while (end - 2 >= from && chunk[end - 1] === LF && chunk[end - 2] === CR) {
      end -= 2
      lines++
    }
    if (end > from) this.#content(chunk.subarray(from, end))
    this.#line(lines)
    this.#cr = endsWithCr
  }

  #content(octets: Uint8Array): void {
    this.#owedLines()
    this.#empty = false
    this.#update(octets)
  }

  /** The inner loop touches each octet once; what is written goes into one buffer. */
  #pushRelaxed(chunk: Uint8Array): void {
    this.#out ??= Buffer.allocUnsafe(gatheredOctets)
    const out = this.#out
    const room = out.length - 4
    const end = chunk.length
    let used = this.#used
    let at = 0
    while (at < end) {
      let octet = chunk[at] as number
      if (octet === LF && this.#cr) {
        this.#used = used
        this.#line()
        used = this.#used
        this.#cr = this.#blank = false
        at++
        continue
      }
      if (octet === CR && !this.#cr) {
        this.#cr = true
        at++
        continue
      }
      if ((octet === SPACE || octet === TAB) && !this.#cr) {
        this.#blank = true
        at++
        continue
      }
      if (this.#cr || this.#blank || this.#lines > 0) {
        // Something follows: all that was held back counts.
        this.#used = used
        this.#owed()
        used = this.#used
      }
      this.#empty = false
      for (;;) {
        if (used >= room) {
          this.#used = used
          this.#flush()
          used = this.#used
        }
        if (octet === CR) {
          this.#cr = true
          at++
          break
        }
        if (octet === SPACE || octet === TAB) {
          this.#blank = true
          at++
          break
        }
        out[used++] = octet
        if (++at >= end) break
        octet = chunk[at] as number
      }
    }
    this.#used = used
  }

  /** Writes the lines, the blank and the CR that turned out to stand before something. */
  #owed(): void {
    this.#owedLines()
    if (this.#used + 2 > gatheredOctets) this.#flush()
    const out = this.#out as Buffer
    if (this.#blank) out[this.#used++] = SPACE
    if (this.#cr) out[this.#used++] = CR
    this.#blank = this.#cr = false
  }

  #owedLines(): void {
    if (this.#before !== null) this.#before = null
    if (this.#lines === 0) return
    if (this.#out !== null && this.#lines === 1 && this.#used + 2 <= gatheredOctets) {
      this.#out[this.#used++] = CR
      this.#out[this.#used++] = LF
    } else {
      this.#flush()
      this.#update(emptyLines.subarray(0, 2 * this.#lines))
    }
    this.#lines = 0
  }

  #line(count = 1): void {
    this.#lines += count
    if (this.#lines <= heldLinesMax) return
    this.#flush()
    this.#before ??= { hash: this.#hash.copy(), octets: this.#octets }
    for (; this.#lines > 0; this.#lines -= Math.min(this.#lines, heldLinesMax)) {
      this.#update(emptyLines.subarray(0, 2 * Math.min(this.#lines, heldLinesMax)))
    }
  }

  #flush(): void {
    if (this.#out === null || this.#used === 0) return
    const used = this.#used
    this.#used = 0
    this.#update(this.#out.subarray(0, used))
  }

  #update(octets: Uint8Array): void {
    const left = this.#octetsMax - this.#octets
    if (left >= octets.length) this.#hash.update(octets)
    else if (left > 0) this.#hash.update(octets.subarray(0, left))
    this.#octets += octets.length
  }
}
