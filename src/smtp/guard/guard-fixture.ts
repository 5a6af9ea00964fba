/** Guards without sockets: a clock that is moved, DNS that is told, and what a session of a stranger answers. */
import { FakeClock } from '../../base/clock.ts'
import { type GuardsConfig, noGuards } from '../../base/guards-config.ts'
import { defaultLimits, type Limits } from '../../base/limits.ts'
import { createLog } from '../../base/log.ts'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import { parseHeader } from '../../message/header.ts'
import { memoryNotes } from '../../store/notes/open-notes.ts'
import type { FilterAnswer, FilterClient, FilteredMessage, FilterSession } from '../filter/filter.ts'
import { testClient } from '../filter/filter-fixture.ts'
import { createGuards } from './create-guards.ts'

export interface GuardSetup {
  readonly config?: Partial<GuardsConfig>
  readonly limits?: Partial<Limits>
  readonly dns?: RecordMap
}

export function guardWorld({ config = {}, limits = {}, dns = {} }: GuardSetup = {}) {
  const clock = new FakeClock()
  const logged: string[] = []
  const log = createLog(
    (line) => void logged.push(line),
    'info',
    () => clock.now(),
  )
  const notes = memoryNotes(clock, log, limits.notesPerKind)
  const resolver = mapResolver(dns)
  const options = { config: { ...noGuards, ...config }, limits: { ...defaultLimits, ...limits } }
  const guards = createGuards({ ...options, clock, log, notes, resolver })
  return {
    ...{ clock, logged, notes, resolver, guards },
    /** Somebody connects. */
    come: (client: Partial<FilterClient> = {}) => new Visit(clock, guards.filters, withGetters(client)),
  }
}

/** A getter stays one. */
function withGetters(client: Partial<FilterClient>): ReturnType<typeof testClient> {
  return Object.defineProperties(testClient(), Object.getOwnPropertyDescriptors(client))
}

/** One connection, asked as the door asks. Waits are waited for by moving the clock. */
export class Visit {
  readonly #clock: FakeClock
  readonly #sessions: readonly FilterSession[]
  readonly client: ReturnType<typeof testClient>
  /** Milliseconds that all answers together took by the clock. */
  waitedMs = 0

  constructor(
    clock: FakeClock,
    filters: readonly { open(client: FilterClient): FilterSession | null }[],
    client: ReturnType<typeof testClient>,
  ) {
    this.#clock = clock
    this.client = client
    this.#sessions = filters.map((filter) => filter.open(client)).filter((session) => session !== null)
  }

  connect(): Promise<string> {
    return this.#ask((session) => session.connect?.() ?? null)
  }

  async mail(path: string, ...parameters: string[]): Promise<string> {
    await this.#ask((session) => session.hello?.() ?? null)
    return this.#ask((session) => session.mail?.(path, parameters) ?? null)
  }

  rcpt(path: string, known = true): Promise<string> {
    return this.#ask((session) => session.rcpt?.(path, [], known) ?? null)
  }

  data(): Promise<string> {
    return this.#ask((session) => session.data?.() ?? null)
  }

  /** @param cut Octets that come at a time. @returns The refusal, `junk: …` or `ok`. */
  async end(message: Partial<FilteredMessage> = {}, text = '', cut = 1): Promise<string> {
    const whole = {
      ...{ journeyId: 'j', reversePath: 'alice@crepes.example', recipients: [], octets: text.length },
      headerFields: parseHeader(text).fields,
    }
    for (const session of this.#sessions)
      for (let at = 0; at < text.length; at += cut)
        void session.octets?.(Buffer.from(text.slice(at, at + cut), 'latin1'))
    for (const session of this.#sessions) {
      if (session.end === undefined) continue
      const { refusal, junk } = await this.#wait(session.end({ ...whole, ...message }))
      if (refusal !== undefined) return shown(refusal)
      if (junk !== undefined) return `junk: ${junk}`
    }
    return 'ok'
  }

  reset(): void {
    for (const session of this.#sessions) session.reset?.()
  }

  async #ask(put: (session: FilterSession) => Promise<FilterAnswer> | FilterAnswer): Promise<string> {
    for (const session of this.#sessions) {
      const answer = await this.#wait(put(session))
      if (answer !== null) return shown(answer)
    }
    return 'ok'
  }

  async #wait<T>(answer: Promise<T> | T): Promise<T> {
    let over = false
    const done = Promise.resolve(answer).finally(() => (over = true))
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve))
      if (over) break
      this.#clock.advance(100)
      this.waitedMs += 100
    }
    return done
  }
}

function shown(refusal: NonNullable<FilterAnswer>): string {
  const { code, status, lines } = refusal.reply
  return `${code} ${status} ${lines.join(' ')}`
}
