/** What one evaluation may ask DNS, RFC 7208 §4.6.4. */
import type { Answer, RecordOf, RecordType, Resolver } from '../../dns/resolver.ts'
import { DnsFailure } from '../../dns/resolver.ts'

/** Terms that ask DNS, in the record and all it includes. */
const termsMax = 10
/** Answers without records. */
const voidMax = 2
/** Questions kept for the journey; fewer than can be asked: 10 terms with 10 names of MX each. */
const askedKept = 50

/** Ends an evaluation; the result with its reason. */
export class SpfEnd extends Error {
  readonly result: 'permerror' | 'temperror'

  constructor(result: 'permerror' | 'temperror', reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'SpfEnd'
    this.result = result
  }
}

export class Lookups {
  readonly #resolver: Resolver
  readonly asked: string[] = []
  terms = 0
  voids = 0
  /** Of the term at hand. */
  #wasVoid = false

  constructor(resolver: Resolver) {
    this.#resolver = resolver
  }

  /** Counts a term that asks DNS. @throws {SpfEnd} It is one too many. */
  countTerm(): void {
    this.#wasVoid = false
    if (++this.terms > termsMax)
      throw new SpfEnd('permerror', `over ${termsMax} terms that look something up`)
  }

  /** @throws {SpfEnd} temperror: no answer could be had; permerror: too many answers were empty. */
  async query<T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>> {
    if (this.asked.length < askedKept) this.asked.push(`${name} ${type}`)
    try {
      const answer = await this.#resolver.query(name, type)
      if (answer.records.length === 0) this.#countVoid()
      return answer
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      throw new SpfEnd('temperror', `${error.question}: ${error.reason}`, { cause: error })
    }
  }

  /** As `query` for what does not count: the record itself, names of ptr, explanations. */
  async queryFreely<T extends RecordType>(name: string, type: T): Promise<readonly RecordOf[T][]> {
    if (this.asked.length < askedKept) this.asked.push(`${name} ${type}`)
    try {
      return (await this.#resolver.query(name, type)).records
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      throw new SpfEnd('temperror', `${error.question}: ${error.reason}`, { cause: error })
    }
  }

  /** §4.6.4 bounds the terms, not the questions: `mx` of five hosts without IPv6 is one for who comes over IPv6. */
  #countVoid(): void {
    if (this.#wasVoid) return
    this.#wasVoid = true
    if (++this.voids > voidMax) throw new SpfEnd('permerror', `over ${voidMax} look-ups found nothing`)
  }
}
