/** Keeps messages in memory for filters that need them whole, within a bound for each and one for all. */

/** What all filters of a server share. */
export class KeeperPool {
  readonly #octets: number
  #used = 0

  /** @param octets Of all messages kept at the same time. */
  constructor(octets: number) {
    this.#octets = octets
  }

  get usedOctets(): number {
    return this.#used
  }

  /** @param maxOctets Of one message. */
  keeper(maxOctets: number): Keeper {
    return { keep: () => new KeptMessage(maxOctets, this) }
  }

  /** @param octets Negative ones are given back. @returns False when there is no room for them. */
  take(octets: number): boolean {
    if (octets > 0 && this.#used + octets > this.#octets) return false
    this.#used += octets
    return true
  }
}

export interface Keeper {
  keep(): KeptMessage
}

export class KeptMessage {
  readonly #maxOctets: number
  readonly #pool: KeeperPool
  #pieces: Buffer[] = []
  #octets = 0
  #lost: 'too-large' | 'no-room' | null = null

  constructor(maxOctets: number, pool: KeeperPool) {
    this.#maxOctets = maxOctets
    this.#pool = pool
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
    else if (!this.#pool.take(chunk.length)) this.#lose('no-room')
    else {
      this.#pieces.push(Buffer.from(chunk))
      this.#octets += chunk.length
    }
  }

  /** As they came. */
  get pieces(): readonly Buffer[] {
    return this.#pieces
  }

  /** The octets so far; empty when lost. */
  whole(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  /** To be called when the message is over, once or more often. */
  release(): void {
    this.#pool.take(-this.#octets)
    this.#pieces = []
    this.#octets = 0
  }

  #lose(why: 'too-large' | 'no-room'): void {
    this.release()
    this.#lost = why
  }
}
