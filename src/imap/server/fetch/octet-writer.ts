import { dayMs, formatDay } from '../../wire/date.ts'

/** Room that `fits` promises: enough for a line without strings of a message's own. */
const lineOctets = 8_192
const pieceOctets = 65_536

/**
 * Formats response lines straight into octets: no string is made for each message, which is what makes
 * `FETCH 1:* (UID FLAGS)` quick. Each full piece is handed out once and never touched again.
 */
export class OctetWriter {
  #buffer: Buffer<ArrayBufferLike> = Buffer.allocUnsafeSlow(pieceOctets)
  #position = 0
  #full: Uint8Array[] = []
  /** The day written last, because neighbours were mostly received on the same day. */
  #day = Number.NaN
  #dayText = ''

  /** Whether another line fits into the present piece. */
  get fits(): boolean {
    return this.#position + lineOctets <= this.#buffer.length
  }

  /** What was written since the last call, in order. */
  take(): Uint8Array[] {
    const pieces = this.#full
    this.#full = []
    if (this.#position === 0) return pieces
    pieces.push(this.#buffer.subarray(0, this.#position))
    const left = this.#buffer.length - this.#position
    // What is left is used next time, unless it is too little.
    this.#buffer =
      left > lineOctets * 2 ? this.#buffer.subarray(this.#position) : Buffer.allocUnsafeSlow(pieceOctets)
    this.#position = 0
    return pieces
  }

  /** @param text A few dozen chars, one per octet. */
  short(text: string): void {
    const { length } = text
    if (this.#position + length > this.#buffer.length) {
      this.text(text)
      return
    }
    const buffer = this.#buffer
    let position = this.#position
    for (let i = 0; i < length; i++) buffer[position++] = text.charCodeAt(i)
    this.#position = position
  }

  /** @param text Any length, one char per octet. */
  text(text: string): void {
    if (this.#position + text.length > this.#buffer.length) {
      this.#full = this.take()
      if (text.length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(text.length)
    }
    this.#position += this.#buffer.write(text, this.#position, 'latin1')
  }

  /** @param octets Any length; long ones are passed on without a copy and must not change afterwards. */
  octets(octets: Uint8Array): void {
    const { length } = octets
    if (this.#position + length <= this.#buffer.length) {
      this.#buffer.set(octets, this.#position)
      this.#position += length
      return
    }
    this.#full = this.take()
    if (length > lineOctets) this.#full.push(octets)
    else this.octets(octets)
  }

  /** @param value An integer from 0. */
  number(value: number): void {
    if (value > 4_294_967_295) {
      this.short(String(value))
      return
    }
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    if (this.#position + digits > this.#buffer.length) {
      this.text(String(value))
      return
    }
    const buffer = this.#buffer
    let rest = value
    for (let at = this.#position + digits - 1; at >= this.#position; at--) {
      const tens = Math.floor(rest / 10)
      buffer[at] = 48 + rest - tens * 10
      rest = tens
    }
    this.#position += digits
  }

  /** DQUOTE date-time DQUOTE. @param ms Milliseconds since 1970. */
  dateTime(ms: number): void {
    const day = Math.floor(ms / dayMs)
    if (day !== this.#day) {
      this.#day = day
      this.#dayText = `"${formatDay(day)} `
    }
    const seconds = Math.floor((ms - day * dayMs) / 1_000)
    this.short(this.#dayText)
    this.#twoDigits(Math.floor(seconds / 3_600))
    this.short(':')
    this.#twoDigits(Math.floor(seconds / 60) % 60)
    this.short(':')
    this.#twoDigits(seconds % 60)
    this.short(' +0000"')
  }

  #twoDigits(value: number): void {
    if (value < 10) this.short('0')
    this.number(value)
  }
}
