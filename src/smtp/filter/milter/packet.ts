/**
 * Packets of the milter protocol: `uint32 length`, a letter, `length - 1` octets. Numbers are big-endian, texts end with
 * NUL. Strings have one char per octet.
 */
import type { CommandLetter } from './protocol.ts'

export interface Packet {
  /** One char. */
  readonly letter: string
  readonly data: Buffer
}

/** The milter does not keep to the protocol, or to a bound of ours: nothing more it says can be trusted. */
export class MilterFault extends Error {
  constructor(problem: string) {
    super(`The milter ${problem}`)
    this.name = 'MilterFault'
  }
}

/** @param data Texts get their NUL from `texts`. */
export function writePacket(letter: CommandLetter, data: Uint8Array | string = ''): Buffer {
  const octets = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
  const packet = Buffer.allocUnsafe(5 + octets.length)
  packet.writeUInt32BE(octets.length + 1, 0)
  packet.write(letter, 4, 'latin1')
  packet.set(octets, 5)
  return packet
}

/** Each with its NUL; one inside would end it early, so there is none. */
export function texts(...all: readonly string[]): string {
  return all.map((text) => `${text.replaceAll('\0', '')}\0`).join('')
}

/** Cuts a stream into packets, however it is cut itself. */
export class PacketReader {
  readonly #maxOctets: number
  #pieces: Buffer[] = []
  #octets = 0

  /** @param maxOctets Bound of one packet, letter and data. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /**
   * @param chunk Is kept until its packets are read.
   * @throws {MilterFault} A packet has no letter, or is over the bound.
   */
  *push(chunk: Uint8Array): Generator<Packet> {
    if (chunk.length > 0) this.#pieces.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
    this.#octets += chunk.length
    while (this.#octets >= 4) {
      const length = this.#peekLength()
      if (length === 0) throw new MilterFault('sent a packet without a letter')
      if (length > this.#maxOctets) throw new MilterFault(`sent a packet of ${length} octets`)
      // Joined only when whole, so that a packet in a thousand pieces is not copied a thousand times.
      if (this.#octets < 4 + length) return
      const all = this.#join()
      const packet = all.subarray(4, 4 + length)
      const rest = all.subarray(4 + length)
      this.#pieces = rest.length === 0 ? [] : [rest]
      this.#octets = rest.length
      yield { letter: String.fromCharCode(packet[0]!), data: packet.subarray(1) }
    }
  }

  #peekLength(): number {
    if (this.#pieces[0]!.length < 4) this.#pieces = [this.#join()]
    return this.#pieces[0]!.readUInt32BE(0)
  }

  #join(): Buffer {
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
  }
}
