/** Takes the octets that belong to one BDAT: as many as it said, whatever they are. */
export class ChunkReader {
  #left: number

  constructor(octets: number) {
    this.#left = octets
  }

  get left(): number {
    return this.#left
  }

  /** @returns What belongs to the chunk, and what follows it. */
  push(octets: Uint8Array): { readonly chunk: Uint8Array; readonly rest: Uint8Array } {
    const chunk = octets.subarray(0, this.#left)
    this.#left -= chunk.length
    return { chunk, rest: octets.subarray(chunk.length) }
  }
}
