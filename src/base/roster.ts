interface Entry<T> {
  readonly member: T
  index: number
}

/**
 * Those who are here now, in no order, where thousands come and go, such as connections.
 *
 * Not a Set: one that is added to and deleted from makes itself a new table now and then, and each old one, once it lies
 * in V8's old space, keeps alive what stood in it and the table after it, and so all that ever came, until the next full
 * collection. Young collections then copy every connection that has ended.
 */
export class Roster<T> {
  readonly #entries: Entry<T>[] = []

  get size(): number {
    return this.#entries.length
  }

  /** @returns To be called when it leaves; a second time does nothing. */
  enter(member: T): () => void {
    const entry = { member, index: this.#entries.length }
    this.#entries.push(entry)
    return () => this.#leave(entry)
  }

  #leave(entry: Entry<T>): void {
    if (this.#entries[entry.index] !== entry) return
    const last = this.#entries.pop()!
    if (last === entry) return
    this.#entries[entry.index] = last
    last.index = entry.index
  }

  /** Those who are here when it is called. */
  all(): T[] {
    return this.#entries.map(({ member }) => member)
  }
}
