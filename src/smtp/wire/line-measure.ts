const lineFeed = 10

/** Counts the octets of a message as they pass, and how long its lines are. */
export class LineMeasure {
  #octets = 0
  #longestLine = 0
  #octetsSinceLf = 0

  get octets(): number {
    return this.#octets
  }

  /**
   * Octets of the longest line that reached over more than one chunk of 64 KB or less; shorter ones are not measured,
   * and no bound of ours is under that.
   */
  get longestLine(): number {
    return Math.max(this.#longestLine, this.#octetsSinceLf)
  }

  push(chunk: Uint8Array): void {
    this.#octets += chunk.length
    const firstLf = chunk.indexOf(lineFeed)
    if (firstLf < 0) {
      this.#octetsSinceLf += chunk.length
      return
    }
    this.#longestLine = Math.max(this.#longestLine, this.#octetsSinceLf + firstLf)
    this.#octetsSinceLf = chunk.length - 1 - chunk.lastIndexOf(lineFeed)
  }
}
