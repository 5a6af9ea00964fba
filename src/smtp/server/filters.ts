/**
 * The filters that take part in one connection, asked in their order.
 *
 * Where none of them has an interest, and where all answer at once, there is nothing to wait for: `undefined` is given
 * back. A filter that throws, or takes longer than `limits.checkTimeoutMs`, is logged and the client told to come again.
 */
import { andThen } from '../../base/at-once.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import {
  type FilterAnswer,
  type FilterClient,
  type FilteredMessage,
  type FilterEnding,
  type FilterSession,
  nothingToSay,
  type SmtpFilter,
} from '../filter/filter.ts'
import { Refusal, refuse } from '../wire/reply.ts'

export interface FilterSurroundings {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Pick<Limits, 'checkTimeoutMs'>
}

/** What a filter is asked before there is a message. */
type Question = 'connect' | 'hello' | 'mail' | 'rcpt' | 'data'

interface Taking {
  readonly name: string
  readonly session: FilterSession
}

/** What one filter said at the end, with its name. */
export interface NamedEnding extends FilterEnding {
  readonly filter: string
}

/** Those that have a say about this client. */
export function openFilters(
  filters: readonly SmtpFilter[],
  client: FilterClient,
  surroundings: FilterSurroundings,
): Filters {
  const part: Taking[] = []
  for (const filter of filters) {
    const session = filter.open(client)
    if (session !== null) part.push({ name: filter.name, session })
  }
  return new Filters(part, surroundings)
}

export class Filters {
  readonly #surroundings: FilterSurroundings
  readonly #part: readonly Taking[]
  readonly #reading: readonly Taking[]
  readonly #ending: readonly Taking[]

  constructor(part: readonly Taking[], surroundings: FilterSurroundings) {
    this.#surroundings = surroundings
    this.#part = part
    this.#reading = part.filter(({ session }) => session.octets !== undefined)
    this.#ending = part.filter(({ session }) => session.end !== undefined)
  }

  /**
   * Asks those with an interest in it.
   *
   * @throws {Refusal} What the first one said that has something against it; thrown here or by the promise.
   */
  ask<Q extends Question>(
    question: Q,
    ...args: Parameters<NonNullable<FilterSession[Q]>>
  ): Promise<void> | undefined {
    for (let index = 0; index < this.#part.length; index++) {
      const answer = this.#put(this.#part[index]!, question, args)
      if (answer instanceof Promise) return this.#within(this.#askRest(answer, index, question, args))
      if (answer instanceof Refusal) throw answer
    }
    return undefined
  }

  async #askRest(
    first: Promise<FilterAnswer>,
    index: number,
    question: Question,
    args: readonly unknown[],
  ): Promise<void> {
    let answer = await this.#safely(this.#part[index]!, first)
    for (const taking of this.#part.slice(index + 1)) {
      if (answer instanceof Refusal) break
      answer = await this.#safely(taking, this.#put(taking, question, args))
    }
    if (answer instanceof Refusal) throw answer
  }

  #put(taking: Taking, question: Question, args: readonly unknown[]): Promise<FilterAnswer> | FilterAnswer {
    const { session } = taking
    const method = session[question] as
      | ((...args: unknown[]) => Promise<FilterAnswer> | FilterAnswer)
      | undefined
    if (method === undefined) return null
    try {
      return Reflect.apply(method, session, args)
    } catch (error) {
      throw this.#failed(taking, error)
    }
  }

  /** @throws {Refusal} */
  octets(chunk: Uint8Array): Promise<void> | undefined {
    for (let index = 0; index < this.#reading.length; index++) {
      const taking = this.#reading[index]!
      let waiting: Promise<void> | undefined
      try {
        waiting = taking.session.octets!(chunk)
      } catch (error) {
        throw this.#failed(taking, error)
      }
      if (waiting !== undefined) return this.#within(this.#feedRest(waiting, index, chunk))
    }
    return undefined
  }

  async #feedRest(first: Promise<void>, index: number, chunk: Uint8Array): Promise<void> {
    await this.#safely(this.#reading[index]!, first)
    for (const taking of this.#reading.slice(index + 1)) {
      await this.#safely(taking, async () => taking.session.octets!(chunk))
    }
  }

  /**
   * What they say of the whole message, in their order, until one refuses it or throws it away. Together they have
   * `limits.checkTimeoutMs`.
   *
   * @throws {Refusal} Of one that failed or took too long; a refusal in an ending is not thrown.
   */
  end(message: FilteredMessage): readonly NamedEnding[] | Promise<readonly NamedEnding[]> {
    const endings = this.#conclude(0, message, [])
    return endings instanceof Promise ? this.#within(endings) : endings
  }

  /** @param before What those before `index` said. */
  #conclude(
    index: number,
    message: FilteredMessage,
    before: readonly NamedEnding[],
  ): readonly NamedEnding[] | Promise<readonly NamedEnding[]> {
    const taking = this.#ending[index]
    if (taking === undefined) return before
    return andThen(this.#endingOf(taking, message), (ending) => {
      const endings = ending === nothingToSay ? before : [...before, { ...ending, filter: taking.name }]
      if (ending.refusal !== undefined || ending.discard === true) return endings
      // So that the next one that changes it does not undo this change.
      const next = ending.message === undefined ? message : { ...message, changed: ending.message }
      return this.#conclude(index + 1, next, endings)
    })
  }

  #endingOf(taking: Taking, message: FilteredMessage): FilterEnding | Promise<FilterEnding> {
    try {
      const ending = taking.session.end!(message)
      return ending instanceof Promise ? this.#safely(taking, ending) : ending
    } catch (error) {
      throw this.#failed(taking, error)
    }
  }

  reset(): void {
    this.#tell('reset')
  }

  close(): void {
    this.#tell('close')
  }

  #tell(what: 'reset' | 'close'): void {
    for (const taking of this.#part) {
      try {
        taking.session[what]?.()
      } catch (error) {
        this.#failed(taking, error)
      }
    }
  }

  async #safely<T>(taking: Taking, answer: Promise<T> | T | (() => Promise<T>)): Promise<T> {
    try {
      return await (answer instanceof Function ? answer() : answer)
    } catch (error) {
      throw this.#failed(taking, error)
    }
  }

  #failed({ name }: Taking, error: unknown): Refusal {
    if (error instanceof Refusal) return error
    this.#surroundings.log.error('smtp filter failed', { filter: name, error })
    return refuse(451, '4.3.0', 'Local error in processing', { cause: error })
  }

  /** @throws {Refusal} 451 past the time. */
  #within<T>(answer: Promise<T>): Promise<T> {
    const { clock, limits, log } = this.#surroundings
    return new Promise((resolve, reject) => {
      const cancel = clock.after(limits.checkTimeoutMs, () => {
        log.warn('smtp filters took too long', { ms: limits.checkTimeoutMs })
        reject(refuse(451, '4.3.0', 'Checking took too long, try again later'))
      })
      answer.then(resolve, reject).finally(cancel)
    })
  }
}
