/**
 * Greylisting, RFC 6647: a stranger's first message to somebody is put off once. Programs that never try again are rid of;
 * a server that came again is known from then on, with all senders of that domain. The times are those of §5.
 */
import { networkOf } from '../../base/network.ts'
import type { FilterAnswer, FilterClient, FilterSession, SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { domainOf, type GuardWorld, isStranger } from './guard-world.ts'

/** Key: network, reverse-path, forward-path; value: when it came first. */
const waitingKind = 'greylist'
/** Key: network and the sender's domain. */
const knownKind = 'greylist-known'

export function greylist(world: GuardWorld): SmtpFilter {
  return {
    name: 'greylist',
    open: (client) => (world.config.greylist && isStranger(client) ? new Session(world, client) : null),
  }
}

class Session implements FilterSession {
  readonly #world: GuardWorld
  readonly #client: FilterClient
  #reversePath = ''
  /** For the null reverse-path: what DATA will be told. */
  #later: FilterAnswer = null

  constructor(world: GuardWorld, client: FilterClient) {
    this.#world = world
    this.#client = client
  }

  mail(path: string): FilterAnswer {
    this.#reversePath = path.toLowerCase()
    this.#later = null
    return null
  }

  rcpt(path: string, _parameters: readonly string[], known: boolean): FilterAnswer {
    if (!known) return null
    const answer = this.#judge(path.toLowerCase())
    // Servers that verify a sender ask with <> up to RCPT and come no further: they are not put off.
    if (answer === null || this.#reversePath !== '') return answer
    this.#later = answer
    return null
  }

  data(): FilterAnswer {
    return this.#later
  }

  #judge(forwardPath: string): FilterAnswer {
    const { notes, clock, limits } = this.#world
    // By network: large senders come again from the machine beside.
    const network = networkOf(this.#client.remoteAddress)
    const sender = `${network} ${domainOf(this.#reversePath)}`
    const now = clock.now()
    if (notes.get(knownKind, sender) !== null) {
      notes.put(knownKind, sender, 1, now + limits.greylistPassMs)
      return null
    }
    const triplet = `${network} ${this.#reversePath} ${forwardPath}`
    const first = notes.get(waitingKind, triplet)
    if (first === null) notes.put(waitingKind, triplet, now, now + limits.greylistRetryMs)
    const waitsMs = Number(first?.value ?? now) + limits.greylistDelayMs - now
    if (waitsMs > 0) {
      const seconds = Math.ceil(waitsMs / 1_000)
      return refuse(450, '4.7.1', `Greylisted, try again in ${seconds} seconds`)
    }
    notes.delete(waitingKind, triplet)
    notes.put(knownKind, sender, 1, now + limits.greylistPassMs)
    return null
  }
}
