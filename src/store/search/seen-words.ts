/** The words of one text that have been seen: most come several times, and asking the vocabulary costs more. */
export class SeenWords {
  /** Triples: the round in which the place was taken, and where in the text the word begins and ends. */
  #places = new Uint32Array(3 * 1_024)
  #round = 0
  #count = 0

  /** A new text begins. */
  clear(): void {
    this.#round++
    this.#count = 0
  }

  /** @param hash Of the word, whatever else it is of. @returns Whether the same word was added since `clear`. */
  add(text: string, start: number, end: number, hash: number): boolean {
    if (this.#count * 6 > this.#places.length) this.#grow()
    const places = this.#places
    const length = places.length / 3
    for (let place = hash & (length - 1); ; place = (place + 1) & (length - 1)) {
      const at = place * 3
      if (places[at] !== this.#round) {
        places[at] = this.#round
        places[at + 1] = start
        places[at + 2] = end
        this.#count++
        return false
      }
      if (isSame(text, places[at + 1]!, places[at + 2]!, start, end)) return true
    }
  }

  /** Forgets: a word that is seen twice is asked for twice, no more. */
  #grow(): void {
    this.#places = new Uint32Array(this.#places.length * 2)
    this.#count = 0
  }
}

function isSame(text: string, from: number, to: number, start: number, end: number): boolean {
  if (to - from !== end - start) return false
  for (let i = from, j = start; i < to; i++, j++) if (text.charCodeAt(i) !== text.charCodeAt(j)) return false
  return true
}
