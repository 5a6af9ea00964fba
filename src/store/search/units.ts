import { endianness } from 'node:os'

const isLittleEndian = endianness() === 'LE'

/** A text as an array of its UTF-16 code units, with a 0 behind the last. Used again and again. */
export class Units {
  #octets = Buffer.alloc(16_384)
  units = new Uint16Array(this.#octets.buffer, this.#octets.byteOffset, this.#octets.length / 2)
  length = 0
  #text = ''

  take(text: string): this {
    this.#text = text
    this.length = text.length
    if (text.length >= this.units.length) {
      this.#octets = Buffer.alloc(text.length * 4)
      this.units = new Uint16Array(this.#octets.buffer, this.#octets.byteOffset, text.length * 2)
    }
    this.#octets.write(text, 0, 'utf16le')
    if (!isLittleEndian) this.#octets.subarray(0, text.length * 2).swap16()
    this.units[text.length] = 0
    return this
  }

  slice(start: number, end: number): string {
    return this.#text.slice(start, end)
  }
}

/** A unit of a text that is folded but for its ASCII letters. */
export function upperCase(unit: number): number {
  return unit >= 97 && unit <= 122 ? unit - 32 : unit
}
