/**
 * Takes the Bcc fields out of a message while it is handed in, so that nobody who gets it learns of blind copies: RFC 5322
 * §3.6.3, first of its three ways. Only the header is held, up to its bound; the body passes through.
 */
import { isFieldLine, latin1, parseHeader } from '../message/header.ts'

const blind = /^(?:resent-)?bcc$/i

export class BccFilter {
  readonly #maxOctets: number
  /** Null once the header has passed. */
  #held: Buffer | null = Buffer.alloc(0)

  /** @param maxOctets A longer header passes as it is: the message is refused for its size anyway. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /** @returns What may go on, in order. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#held === null) return [chunk]
    const held = Buffer.concat([this.#held, chunk])
    const end = headerEnd(held)
    if (end === null && held.length <= this.#maxOctets) {
      this.#held = held
      return []
    }
    this.#held = null
    return end === null ? [held] : [withoutBcc(held.subarray(0, end)), held.subarray(end)]
  }

  /** What was still held: a message that ends with its header. */
  finish(): Uint8Array[] {
    const held = this.#held
    this.#held = null
    return held === null || held.length === 0 ? [] : [withoutBcc(held)]
  }
}

/** Octets of the header with the CRLF of its last field; null while that is not known. */
function headerEnd(octets: Buffer): number | null {
  // A message may begin with the empty line.
  if (octets.length >= 2 && octets[0] === 13 && octets[1] === 10) return 0
  const found = octets.indexOf('\r\n\r\n')
  return found < 0 ? null : found + 2
}

function withoutBcc(header: Buffer): Uint8Array {
  const text = latin1(header)
  // The lecture's letter has no header: what stands there is what Alice wrote.
  if (!isFieldLine(text.slice(0, Math.max(0, text.indexOf('\r\n'))))) return header
  const { fields } = parseHeader(text, Number.POSITIVE_INFINITY)
  const kept: Uint8Array[] = []
  let from = 0
  for (const { name, offset, octets } of fields) {
    if (!blind.test(name)) continue
    kept.push(header.subarray(from, offset))
    from = offset + octets
  }
  return from === 0 ? header : Buffer.concat([...kept, header.subarray(from)])
}
