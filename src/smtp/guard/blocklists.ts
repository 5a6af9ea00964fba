import { isIPv6 } from 'node:net'
import type { GuardsConfig } from '../../base/guards-config.ts'
import { parsePrefix, PrefixMap } from '../../base/network.ts'
import type { FilterAnswer, FilterClient, FilterEnding, FilterSession, SmtpFilter } from '../filter/filter.ts'
import { nothingToSay } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { Blocklist } from './blocklist.ts'
import { type GuardWorld, isStranger } from './guard-world.ts'

/** Nobody lists these: RFC 6890. */
const ownNetworks = new PrefixMap<true>()
for (const text of ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '::1'])
  ownNetworks.set(parsePrefix(text)!, true)
for (const text of ['fc00::/7', 'fe80::/10']) ownNetworks.set(parsePrefix(text)!, true)

const enoughWeight = 100

/** Asks all lists at once while the client says hello; the first recipient waits for what they know. */
export function blocklists({ config, resolver, clock, log, limits }: GuardWorld): SmtpFilter {
  const world = { resolver, clock, log, timeoutMs: limits.blocklistTimeoutMs }
  let configured: GuardsConfig['blocklists'] = []
  let lists: readonly Blocklist[] = []
  return {
    name: 'blocklists',
    open(client) {
      if (config.blocklists !== configured) {
        configured = config.blocklists
        lists = configured.map((list) => new Blocklist(list, world))
      }
      return lists.length > 0 && isStranger(client) ? new Session(lists, client) : null
    },
  }
}

class Session implements FilterSession {
  readonly #lists: readonly Blocklist[]
  readonly #client: FilterClient
  #listing: Promise<readonly Blocklist[]> | null = null
  #recorded = false

  constructor(lists: readonly Blocklist[], client: FilterClient) {
    this.#lists = lists
    this.#client = client
  }

  hello(): FilterAnswer {
    void this.#listedBy()
    return null
  }

  async rcpt(path: string): Promise<FilterAnswer> {
    const by = await this.#listedBy()
    const weight = by.reduce((sum, { config }) => sum + config.weight, 0)
    const refusing = by.find(({ config }) => config.action === 'refuse')
    const zone = (refusing ?? by[0])?.config.zone
    if (zone === undefined || (refusing === undefined && weight < enoughWeight)) return null
    // RFC 5321 §4.5.1: whoever is listed by mistake must be able to say so.
    if (/^(?:postmaster|abuse)@/i.test(path)) return null
    return refuse(554, '5.7.1', `Your address is listed by ${zone}`)
  }

  async end(): Promise<FilterEnding> {
    const junking = (await this.#listedBy()).find(({ config }) => config.action === 'junk')
    return junking === undefined ? nothingToSay : { junk: `listed by ${junking.config.zone}` }
  }

  #listedBy(): Promise<readonly Blocklist[]> {
    return (this.#listing ??= this.#ask())
  }

  async #ask(): Promise<readonly Blocklist[]> {
    const address = this.#client.remoteAddress
    const isOwn = ownNetworks.find(address) !== null || (isIPv6(address) && address === '::')
    if (isOwn) return []
    const answers = await Promise.all(
      this.#lists.map(async (list) => ((await list.has(address)) ? [list] : [])),
    )
    const by = answers.flat()
    if (by.length > 0 && !this.#recorded) {
      this.#recorded = true
      this.#client.record('spam', { listedBy: by.map(({ config }) => config.zone) })
    }
    return by
  }
}
