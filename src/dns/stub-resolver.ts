/**
 * Asks recursive name servers (a stub resolver, RFC 1034 §5.3.1) and remembers what they say.
 *
 * A name that does not exist and a type that is absent are answers. A `DnsFailure` means that no server gave one: it is
 * always temporary. Equal questions at the same time are asked once.
 */
import type { Clock } from '../base/clock.ts'
import type { Endpoint } from '../base/config.ts'
import type { Log } from '../base/log.ts'
import { isLoopback } from '../base/peer.ts'
import type { Random } from '../base/random.ts'
import { AnswerCache } from './answer-cache.ts'
import { exchange } from './exchange.ts'
import { isAsciiName, normaliseName } from './name.ts'
import { cnameChainMax } from './records.ts'
import type { Answer, RecordOf, RecordType, Resolver } from './resolver.ts'
import { DnsFailure } from './resolver.ts'
import type { Question, Response } from './response.ts'
import { specialAnswer } from './special-names.ts'
import { systemServers } from './system-servers.ts'

export interface ResolverOptions {
  /** Null: those of /etc/resolv.conf, read again once a minute; this machine when it names none. */
  readonly servers: readonly Endpoint[] | null
  /** AD is believed although the server is not on loopback. */
  readonly validating: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** For one server's answer, default 3,000. */
  readonly timeoutMs?: number
  /** Rounds over all servers, default 2. */
  readonly attempts?: number
}

export interface StubResolver extends Resolver {
  /** Ends what is under way with a `DnsFailure`; later questions fail at once. */
  close(): void
}

type AnyAnswer = Answer<RecordOf[RecordType]>

const cacheEntriesMax = 5_000
/** Records of one answer that may be kept; a longer one is asked for again each time. */
const cachedRecordsMax = 100
/** Questions under way at once, each with its own socket; the others wait. */
const questionsAtOnceMax = 200
/** RFC 9520 §3.2: a failure is remembered too, from one second to five minutes. */
const failureKeptMs = 5_000
const failuresMax = 1_000
const serversKeptMs = 60_000

export function createResolver(options: ResolverOptions): StubResolver {
  return new Stub(options)
}

class Stub implements StubResolver {
  readonly #options: ResolverOptions
  readonly #cache: AnswerCache
  readonly #failures = new Map<string, { failure: DnsFailure; untilUs: number }>()
  readonly #underWay = new Map<string, Promise<AnyAnswer>>()
  readonly #open = new Set<() => void>()
  readonly #turns: (() => void)[] = []
  #running = 0
  #closed = false
  #servers: { list: readonly Endpoint[]; readAtUs: number } | null = null
  /** The server that answered last is asked first, so that a dead one costs its time-out once. */
  #preferred = 0

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#cache = new AnswerCache(options.clock, cacheEntriesMax)
  }

  async query<T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>> {
    // A U-label here is a fault of the caller's, and no proof that the name is absent.
    if (!isAsciiName(name)) throw new DnsFailure(`${JSON.stringify(name)} ${type}`, 'malformed')
    return (await this.#lookUp(name, type, 0)) as Answer<RecordOf[T]>
  }

  close(): void {
    this.#closed = true
    for (const end of [...this.#open]) end()
  }

  async #lookUp(name: string, type: RecordType, hops: number): Promise<AnyAnswer> {
    const plain = normaliseName(name)
    const special = plain === null ? noSuchName : specialAnswer(plain, type)
    if (plain === null || special !== null) return special ?? noSuchName
    const key = `${plain} ${type}`
    if (this.#closed) throw new DnsFailure(key, 'network')
    const kept = this.#cache.get(key)
    if (kept !== null) return kept
    const nowUs = this.#options.clock.monotonicUs()
    const failed = this.#failures.get(key)
    if (failed !== undefined && failed.untilUs > nowUs) throw failed.failure
    // A chain that bites its own tail would wait for itself here, so only the first question is shared.
    const shared = hops === 0 ? this.#underWay.get(key) : undefined
    if (shared !== undefined) return shared
    const asking = this.#ask({ name: plain, type }, key, hops)
    if (hops > 0) return asking
    this.#underWay.set(key, asking)
    try {
      return await asking
    } finally {
      this.#underWay.delete(key)
    }
  }

  async #ask(question: Question, key: string, hops: number): Promise<AnyAnswer> {
    try {
      const response = await this.#inTurn(() => this.#askServers(question, key))
      const { alias, ...first } = response
      let answer: AnyAnswer = { ...first, cached: false }
      if (alias !== null) {
        if (hops >= cnameChainMax) throw new DnsFailure(key, 'malformed')
        const end = await this.#lookUp(alias, question.type, hops + 1)
        answer = {
          ...end,
          ttl: Math.min(end.ttl, first.ttl),
          authentic: end.authentic && first.authentic,
          cached: false,
        }
      }
      if (answer.records.length <= cachedRecordsMax) this.#cache.set(key, answer)
      this.#failures.delete(key)
      return answer
    } catch (error) {
      if (error instanceof DnsFailure && !this.#closed) this.#remember(key, error)
      throw error
    }
  }

  async #askServers(question: Question, key: string): Promise<Found> {
    const { timeoutMs = 3_000, attempts = 2, validating } = this.#options
    const servers = await this.#currentServers()
    const spent = new Set<number>()
    let reason: DnsFailure['reason'] = 'network'
    for (let round = 0; round < attempts; round++) {
      for (let step = 0; step < servers.length; step++) {
        const index = (this.#preferred + step) % servers.length
        const server = servers[index]!
        if (spent.has(index)) continue
        if (this.#closed) throw new DnsFailure(key, 'network')
        const response = await exchange(
          { server, question, timeoutMs },
          { clock: this.#options.clock, random: this.#options.random, open: this.#open },
        )
        if (response.kind === 'answer') {
          this.#preferred = index
          const { status, records, ttl, alias } = response
          // RFC 6840 §5.8 leaves it to us whom to believe: not a bit that anybody on the way could set.
          const believed = validating || isLoopback(server.address)
          return { status, records, ttl, alias, authentic: response.authentic && believed }
        }
        if (response.kind !== 'failed') continue
        reason = response.reason
        // It did answer: it would say the same again.
        if (reason === 'servfail' || reason === 'refused') spent.add(index)
      }
    }
    this.#options.log.debug('dns question failed', { question: key, reason })
    throw new DnsFailure(key, reason)
  }

  async #currentServers(): Promise<readonly Endpoint[]> {
    const { servers, clock } = this.#options
    if (servers !== null) return servers
    const nowUs = clock.monotonicUs()
    if (this.#servers === null || nowUs - this.#servers.readAtUs > serversKeptMs * 1000) {
      this.#servers = { list: await systemServers(), readAtUs: nowUs }
    }
    return this.#servers.list
  }

  async #inTurn<R>(run: () => Promise<R>): Promise<R> {
    if (this.#running >= questionsAtOnceMax) await new Promise<void>((resolve) => this.#turns.push(resolve))
    else this.#running++
    try {
      return await run()
    } finally {
      const next = this.#turns.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #remember(key: string, failure: DnsFailure): void {
    if (this.#failures.size >= failuresMax) this.#failures.clear()
    const untilUs = this.#options.clock.monotonicUs() + failureKeptMs * 1000
    this.#failures.set(key, { failure, untilUs })
  }
}

type Found = Omit<Extract<Response, { kind: 'answer' }>, 'kind'>

const noSuchName: AnyAnswer = { status: 'no-name', records: [], ttl: 0, authentic: false, cached: false }
