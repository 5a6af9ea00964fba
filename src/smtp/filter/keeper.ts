/** Keeps messages in memory for filters that need them whole, within a bound for each and one for all. */

export class Keeper {
  readonly #maxOctets: number
  readonly #allOctets: number
  #used = 0

  /** @param maxOctets Of one message. @param allOctets Of all messages kept at the same time. */
  constructor(maxOctets: number, allOctets: number) {
    this.#maxOctets = maxOctets
    this.#allOctets = allOctets
  }

  get usedOctets(): number {
    return this.#used
  }

  keep(): KeptMessage {
    return new KeptMessage(this.#maxOctets, (octets) => {
      if (octets > 0 && this.#used + octets > this.#allOctets) return false
      this.#used += octets
      return true
    })
  }
}

export class KeptMessage {
  readonly #maxOctets: number
  /** Takes room, or gives it back when negative. */
  readonly #take: (octets: number) => boolean
  #pieces: Buffer[] = []
  #octets = 0
  #lost: 'too-large' | 'no-room' | null = null

  constructor(maxOctets: number, take: (octets: number) => boolean) {
    this.#maxOctets = maxOctets
    this.#take = take
  }

  /** Why it is not kept; null while it is. */
  get lost(): 'too-large' | 'no-room' | null {
    return this.#lost
  }

  get octets(): number {
    return this.#octets
  }

  /** @param chunk Is copied. */
  push(chunk: Uint8Array): void {
    if (this.#lost !== null || chunk.length === 0) return
    if (this.#octets + chunk.length > this.#maxOctets) this.#lose('too-large')
    else if (!this.#take(chunk.length)) this.#lose('no-room')
    else {
      this.#pieces.push(Buffer.from(chunk))
      this.#octets += chunk.length
    }
  }

  /** The octets so far; empty when lost. */
  whole(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  /** To be called when the message is over, once or more often. */
  release(): void {
    this.#take(-this.#octets)
    this.#pieces = []
    this.#octets = 0
  }

  #lose(why: 'too-large' | 'no-room'): void {
    this.release()
    this.#lost = why
  }
}
