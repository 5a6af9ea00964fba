/**
 * Octets that belong to a message and not to commands: all between DATA and its dot, or one chunk of BDAT.
 *
 * A chunk that was refused passes by unread: what stands in it is never taken for a command, RFC 3030 §2.
 */
import { andThen } from '../../base/at-once.ts'
import { ChunkReader } from '../wire/chunk-reader.ts'
import { type DataEvent, DataReader } from '../wire/data-reader.ts'
import { refuse, type Reply } from '../wire/reply.ts'
import type { IncomingMessage } from './incoming.ts'

export interface Pushed {
  /** `abandon`: say why and close. */
  readonly state: 'more' | 'end' | 'abandon'
  readonly rest: Uint8Array
}

/** What is said when all octets have come. */
export interface Transferred {
  readonly replies: readonly Reply[]
  /** The message that is now at its end, taken or not; null: the transaction goes on. */
  readonly message: IncomingMessage | null
}

export interface Transfer {
  /** Octets of it so far. */
  readonly octets: number
  /** Takes the next octets from the connection; waits while the disk or a filter cannot keep up. */
  push(octets: Uint8Array): Promise<Pushed> | Pushed
  finish(): Promise<Transferred>
}

const nothing = new Uint8Array(0)

export class DataTransfer implements Transfer {
  readonly #message: IncomingMessage
  readonly #reader = new DataReader()

  constructor(message: IncomingMessage) {
    this.#message = message
  }

  get octets(): number {
    return this.#message.octets
  }

  push(octets: Uint8Array): Promise<Pushed> | Pushed {
    const { chunks, state, rest } = this.#reader.push(octets)
    const [chunk] = chunks
    const taken = chunk === undefined ? undefined : this.#message.take(chunk)
    return taken === undefined ? this.#taken(state, rest) : taken.then(() => this.#taken(state, rest))
  }

  #taken(state: DataEvent['state'], rest: Uint8Array): Pushed {
    if (state === 'ambiguous') {
      this.#message.fail(
        refuse(550, '5.6.0', 'A line of one dot must begin and end with CRLF: message refused'),
      )
      return { state: 'abandon', rest: nothing }
    }
    return this.#message.endless ? { state: 'abandon', rest: nothing } : { state, rest }
  }

  async finish(): Promise<Transferred> {
    return { replies: await this.#message.finish(), message: this.#message }
  }
}

/** What a BDAT command has announced. */
export interface Chunk {
  readonly octets: number
  readonly last: boolean
  /** Null: it passes by, and `reply` is said after it. */
  readonly message: IncomingMessage | null
}

export class ChunkTransfer implements Transfer {
  readonly #chunk: Chunk
  readonly #reader: ChunkReader
  readonly #reply: Reply

  /** @param reply Said after the chunk, unless it is the last one of a message or does not fit. */
  constructor(chunk: Chunk, reply: Reply) {
    this.#chunk = chunk
    this.#reader = new ChunkReader(chunk.octets)
    this.#reply = reply
  }

  get octets(): number {
    return this.#chunk.octets - this.#reader.left
  }

  push(octets: Uint8Array): Promise<Pushed> | Pushed {
    const { chunk, rest } = this.#reader.push(octets)
    const { message } = this.#chunk
    const taken = message !== null && chunk.length > 0 ? message.take(chunk) : undefined
    return andThen(taken, (): Pushed => {
      if (message?.endless) return { state: 'abandon', rest: nothing }
      return { state: this.#reader.left === 0 ? 'end' : 'more', rest }
    })
  }

  async finish(): Promise<Transferred> {
    const { message, last } = this.#chunk
    if (message === null) return { replies: [this.#reply], message: null }
    if (last) return { replies: await message.finish(), message }
    if (message.refusal === null) return { replies: [this.#reply], message: null }
    // RFC 3030 §2: it has failed already; chunks in the pipeline find no transaction.
    return { replies: [message.refusal.reply], message }
  }
}
