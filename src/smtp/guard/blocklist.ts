/**
 * DNS blocklists, RFC 5782. A list is asked about strangers only after it has shown that it is one: its test entries are
 * asked first (§5, §7), and what is no answer about the address (an error code, a wildcard, silence) counts for nothing.
 */
import type { BlocklistConfig } from '../../base/guards-config.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { octetsOf } from '../../base/network.ts'
import type { Resolver } from '../../dns/resolver.ts'

/** `errors`: it answered that it does not answer us. */
type Answer = 'listed' | 'not listed' | 'errors' | 'silent'

const retestMs = 3_600_000

export interface BlocklistWorld {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
  readonly timeoutMs: number
}

interface Health {
  readonly usable: Promise<boolean>
  readonly testedAt: number
}

export class Blocklist {
  readonly config: BlocklistConfig
  readonly #world: BlocklistWorld
  /** For IPv4 and IPv6: many lists know only one of them. */
  readonly #health = new Map<4 | 6, Health>()

  constructor(config: BlocklistConfig, world: BlocklistWorld) {
    this.config = config
    this.#world = world
  }

  /** Whether the list has this address. Never rejects, and takes no longer than it may. */
  async has(address: string): Promise<boolean> {
    const octets = octetsOf(address)
    if (octets === null) return false
    const { clock, timeoutMs } = this.#world
    let cancel: () => void = () => {}
    const late = new Promise<false>((resolve) => {
      cancel = clock.after(timeoutMs, () => resolve(false))
    })
    try {
      return await Promise.race([this.#ask(octets), late])
    } finally {
      cancel()
    }
  }

  async #ask(octets: string): Promise<boolean> {
    const family = octets.length === 4 ? 4 : 6
    if (!(await this.#isUsable(family))) return false
    const answer = await this.#look(octets)
    if (answer === 'errors') {
      // Off until it is tested anew: a list that refuses us lists nobody.
      this.#health.set(family, { usable: Promise.resolve(false), testedAt: this.#world.clock.now() })
      this.#world.log.warn('blocklist refuses to answer this server and is not asked for an hour', {
        zone: this.config.zone,
      })
    }
    return answer === 'listed'
  }

  #isUsable(family: 4 | 6): Promise<boolean> {
    const now = this.#world.clock.now()
    const known = this.#health.get(family)
    if (known !== undefined && now - known.testedAt < retestMs) return known.usable
    const usable = this.#test(family)
    this.#health.set(family, { usable, testedAt: now })
    return usable
  }

  /** RFC 5782: 127.0.0.2 is always listed and 127.0.0.1 never; in IPv6 both within ::FFFF:0:0/96. */
  async #test(family: 4 | 6): Promise<boolean> {
    const start = family === 4 ? '' : `${'\0'.repeat(10)}\xff\xff`
    const [listed, free] = await Promise.all([
      this.#look(`${start}\x7f\0\0\x02`),
      this.#look(`${start}\x7f\0\0\x01`),
    ])
    if (listed === 'listed' && free === 'not listed') return true
    this.#world.log.warn('blocklist fails its test and is not asked for an hour', {
      ...{ zone: this.config.zone, family, listed, free },
    })
    return false
  }

  async #look(octets: string): Promise<Answer> {
    try {
      const { records } = await this.#world.resolver.query(`${reversed(octets)}.${this.config.zone}`, 'A')
      if (records.length === 0) return 'not listed'
      // RFC 5782: answers are in 127.0.0.0/8. Lists tell of errors in 127.255.255.0/24; others are somebody's wildcard.
      if (records.some((record) => !record.startsWith('127.') || record.startsWith('127.255.255.')))
        return 'errors'
      const { answers } = this.config
      const counts = answers.length === 0 || records.some((record) => answers.includes(record))
      return counts ? 'listed' : 'not listed'
    } catch {
      return 'silent'
    }
  }
}

/** Octets, or hexadecimal digits, from the last to the first. */
function reversed(octets: string): string {
  const values = Array.from(octets, (char) => char.charCodeAt(0))
  if (values.length === 4) return values.reverse().join('.')
  const digits = values.map((value) => value.toString(16).padStart(2, '0')).join('')
  return [...digits].reverse().join('.')
}
