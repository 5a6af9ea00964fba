/**
 * Where mail for a domain goes: RFC 5321 §5.1, with the null MX of RFC 7505.
 *
 * Only what DNS states as a fact (no such domain, no mail here) is permanent. Whenever a question found no answer that
 * could have changed the choice, the choice is temporary.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Random } from '../base/random.ts'
import type { Recorder } from '../journey/recorder.ts'
import { isHostName, normaliseName } from './name.ts'
import { recordedResolver } from './recorded-resolver.ts'
import type { Answer, MxRecord, Resolver } from './resolver.ts'
import { DnsFailure } from './resolver.ts'

/** One host that takes mail for the domain. */
export interface MxHost {
  /** The exchange, or the domain itself when it has no MX, or the address literal with its brackets. */
  readonly hostname: string
  /** 0 for a host without MX. */
  readonly preference: number
  /** IPv6 and IPv4 in the order to try; never empty. */
  readonly addresses: readonly string[]
  /** Both the MX answer and this host's address answers were authentic (DNSSEC): a precondition of DANE. */
  readonly authentic: boolean
}

/** Where mail for a domain goes, in the order to try; or why nowhere. */
export type MxChoice =
  | { readonly kind: 'hosts'; readonly hosts: readonly MxHost[]; readonly implicit: boolean }
  | {
      readonly kind: 'permanent' | 'temporary'
      /**
       * `no-mail`: null MX, RFC 7505. `no-domain`: NXDOMAIN. `no-host`: neither MX nor address. `loop`: we ourselves are
       * the best exchange. `dns`: no answer to be had.
       */
      readonly reason: 'no-mail' | 'no-domain' | 'no-host' | 'loop' | 'dns'
      /** RFC 3463. */
      readonly status: string
      /** One line, for a person and for the DSN. */
      readonly text: string
    }

export interface MxOptions {
  /** Exchanges at most, default 10; the least preferred ones are dropped. */
  readonly hostsMax?: number
  /** Default 6, IPv6 and IPv4 by turns. */
  readonly addressesPerHostMax?: number
  /** Our own names: exchanges not preferred over them are dropped, RFC 5321 §5.1. */
  readonly ownNames?: readonly string[]
  /** The host that counts instead of what the domain's MX says. */
  readonly exchange?: string
  /** Whether an address is one that we never connect to. When all are, the domain has no host for us. */
  readonly isForbidden?: (address: string) => boolean
  /** Gets `dns.ask` and `dns.answer` for every question. */
  readonly recorder?: Recorder
}

export const mxHostsMax = 10
export const mxAddressesPerHostMax = 6

/** @param domain A-labels, or an address literal such as `[127.0.0.1]`. Never rejects. */
export async function selectMx(
  resolver: Resolver,
  domain: string,
  random: Random,
  options: MxOptions = {},
): Promise<MxChoice> {
  if (domain.startsWith('[')) return literalChoice(domain, options)
  const name = normaliseName(domain)
  if (name === null || !isHostName(name)) return noDomain(domain)
  const asking = options.recorder === undefined ? resolver : recordedResolver(resolver, options.recorder)
  const { exchange } = options
  if (exchange !== undefined)
    return withAddresses(asking, name, [{ preference: 0, exchange }], false, options)
  let answer: Answer<MxRecord>
  try {
    answer = await asking.query(name, 'MX')
  } catch (error) {
    // RFC 5321 §5.1: an error is not an empty list; going on to the address would send mail past its exchanger.
    return dnsTrouble(error, name)
  }
  if (answer.status === 'no-name') return noDomain(name)
  const own = new Set(options.ownNames?.map((each) => normaliseName(each) ?? each))
  if (answer.status === 'absent') return implicitChoice(asking, name, answer.authentic, own, options)

  const exchanges = answer.records.filter((record) => record.exchange !== '')
  // RFC 7505 §3. Beside other exchangers it means nothing.
  if (exchanges.length === 0) {
    return permanent('no-mail', '5.1.10', `Domain ${name} accepts no mail (null MX)`)
  }
  const sorted = sortExchanges(exchanges, random)
  const better = cutLoop(sorted, own)
  if (better.length === 0 && sorted.length > 0) return loop(name)
  const chosen = better.slice(0, options.hostsMax ?? mxHostsMax)
  return withAddresses(asking, name, chosen, answer.authentic, options)
}

/** RFC 5321 §4.1.3: `[127.0.0.1]`, `[IPv6:::1]`. */
function literalChoice(literal: string, { isForbidden }: MxOptions): MxChoice {
  const inside = literal.endsWith(']') ? literal.slice(1, -1) : ''
  const address = inside.toLowerCase().startsWith('ipv6:') ? inside.slice(5) : inside
  const good = address === inside ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  if (!good) return permanent('no-domain', '5.1.2', `Cannot read the address literal ${printable(literal)}`)
  if (isForbidden?.(address) === true)
    return permanent(
      'no-host',
      '5.1.2',
      `${printable(literal)} is a private address, to which no mail is sent`,
    )
  const host = { hostname: literal, preference: 0, addresses: [address], authentic: false }
  return { kind: 'hosts', hosts: [host], implicit: true }
}

/** RFC 5321 §5.1: no MX, so the domain is its own exchanger with preference 0. */
async function implicitChoice(
  resolver: Resolver,
  name: string,
  authentic: boolean,
  own: ReadonlySet<string>,
  options: MxOptions,
): Promise<MxChoice> {
  if (own.has(name)) return loop(name)
  const only = { preference: 0, exchange: name }
  const choice = await withAddresses(resolver, name, [only], authentic, options)
  return choice.kind === 'hosts' ? { ...choice, implicit: true } : choice
}

/** By preference, equal ones in random order (RFC 5321 §5.1), each name once, nothing that is no host name. */
function sortExchanges(records: readonly MxRecord[], random: Random): MxRecord[] {
  const dice = records.map((record) => {
    const [high = 0, low = 0] = random.bytes(2)
    return { record, die: high * 256 + low }
  })
  dice.sort((a, b) => a.record.preference - b.record.preference || a.die - b.die)
  const seen = new Set<string>()
  const sorted: MxRecord[] = []
  for (const { record } of dice) {
    const exchange = normaliseName(record.exchange)
    if (exchange === null || !isHostName(exchange) || seen.has(exchange)) continue
    seen.add(exchange)
    sorted.push({ preference: record.preference, exchange })
  }
  return sorted
}

/** RFC 5321 §5.1: ourselves, and everybody not preferred over us, would send the message round in a circle. */
function cutLoop(sorted: readonly MxRecord[], own: ReadonlySet<string>): MxRecord[] {
  const ourselves = sorted.find((record) => own.has(record.exchange))
  if (ourselves === undefined) return [...sorted]
  return sorted.filter((record) => record.preference < ourselves.preference)
}

async function withAddresses(
  resolver: Resolver,
  name: string,
  exchanges: readonly MxRecord[],
  authentic: boolean,
  options: MxOptions,
): Promise<MxChoice> {
  const max = options.addressesPerHostMax ?? mxAddressesPerHostMax
  const looked = await Promise.all(
    exchanges.map(async ({ exchange, preference }) => {
      const [v6, v4] = await Promise.allSettled([
        resolver.query(exchange, 'AAAA'),
        resolver.query(exchange, 'A'),
      ])
      const failure = v6.status === 'rejected' ? v6.reason : v4.status === 'rejected' ? v4.reason : null
      const answers = [v6, v4].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      const found = byTurns(answers.map((each) => each.records))
      const addresses = found.slice(0, max)
      const proven = authentic && failure === null && answers.every((each) => each.authentic)
      return {
        failure,
        isForbidden: failure === null && found.every((each) => options.isForbidden?.(each) === true),
        host: { hostname: exchange, preference, addresses, authentic: proven } satisfies MxHost,
      }
    }),
  )
  const hosts = looked.map((each) => each.host).filter((host) => host.addresses.length > 0)
  // Only what is known of all of them: one that DNS did not tell may be another one next time.
  if (hosts.length > 0 && looked.every((each) => each.isForbidden))
    return permanent(
      'no-host',
      '5.4.4',
      `All mail hosts of ${name} have private addresses, to which no mail is sent`,
    )
  if (hosts.length > 0) return { kind: 'hosts', hosts, implicit: false }
  const failed = looked.find((each) => each.failure !== null)
  if (failed !== undefined) return dnsTrouble(failed.failure, failed.host.hostname)
  return permanent('no-host', '5.4.4', `No mail host of ${name} has an address`)
}

/** Takes one of each list in turn, so that a host whose IPv6 is dead is reached by IPv4 within the bound. */
function byTurns(lists: readonly (readonly string[])[]): string[] {
  const mixed: string[] = []
  const longest = Math.max(0, ...lists.map((list) => list.length))
  for (let i = 0; i < longest; i++) {
    for (const list of lists) if (list[i] !== undefined) mixed.push(list[i]!)
  }
  return [...new Set(mixed)]
}

function permanent(
  reason: 'no-mail' | 'no-domain' | 'no-host' | 'loop',
  status: string,
  text: string,
): MxChoice {
  return { kind: 'permanent', reason, status, text }
}

function noDomain(domain: string): MxChoice {
  return permanent('no-domain', '5.1.2', `Domain ${printable(domain)} does not exist`)
}

function loop(name: string): MxChoice {
  return permanent('loop', '5.4.6', `Mail for ${name} would come back to this server`)
}

/** A fault of our own in the resolver is temporary as well: mail refused for good is lost. */
function dnsTrouble(error: unknown, name: string): MxChoice {
  const text = error instanceof DnsFailure ? error.message : `Cannot look up ${name}`
  return { kind: 'temporary', reason: 'dns', status: '4.4.3', text }
}

function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 255)
}
