/**
 * Who may come in: how many connections an address, its network and an account may have, how many a minute, and who is
 * refused altogether. One for all doors of a server.
 *
 * A connection counts for its address until somebody has logged in on it, and for the account from then on: an office
 * behind one address is not bounded by what strangers may do. Memory is bounded by the connections there are, and for
 * the rates by `addressesRemembered`.
 */
import { BucketMap } from './bucket-map.ts'
import type { Clock } from './clock.ts'
import { CoarseTimers } from './coarse-timers.ts'
import { hostOf, networkOf } from './network.ts'
import { Turns } from './turns.ts'

export interface GateLimits {
  readonly connectionsPerAddress: number
  /** As `connectionsPerAddress`, for an IPv4 /24 or an IPv6 /48. */
  readonly connectionsPerNetwork: number
  readonly connectionsPerMinute: number
  readonly networkConnectionsPerMinute: number
  readonly connectionsPerAccount: number
  readonly addressesRemembered: number
}

export interface GateOptions {
  readonly limits: GateLimits
  readonly clock: Clock
  /** Addresses that are not bounded, and never banned. */
  isTrusted(address: string): boolean
  /** Why an address is not let in at all; null when it may. */
  banned?(address: string): string | null
  /** Told of everyone who is turned away. */
  turnedAway?(refused: GateRefusal, address: string): void
}

export interface GateRefusal {
  readonly reason: 'connections' | 'rate' | 'banned'
  /** One line for the log and the journey, not for the stranger. */
  readonly text: string
}

/** What one connection takes up. */
export interface Place {
  /** TLS handshakes begin here, one a turn. */
  readonly handshakes: Turns
  /** For peers to whom all has been said. */
  readonly farewells: CoarseTimers
  /** Somebody has logged in. @returns False: the account has as many connections as it may have. */
  enter(accountId: number): boolean
  /** The client's true address, from a proxy that is believed. @returns Why it may not come in. */
  moveTo(address: string): GateRefusal | null
  leave(): void
}

/** A place without bounds, for a connection that came through no gate. */
export function freePlace(): Place {
  return {
    handshakes: new Turns(),
    farewells: new CoarseTimers(),
    enter: () => true,
    moveTo: () => null,
    leave() {},
  }
}

export class ConnectionGate {
  readonly #options: GateOptions
  readonly #handshakes = new Turns()
  readonly #farewells = new CoarseTimers()
  readonly #hosts = new Map<string, number>()
  readonly #networks = new Map<string, number>()
  readonly #accounts = new Map<number, number>()
  readonly #hostRate: BucketMap
  readonly #networkRate: BucketMap

  constructor(options: GateOptions) {
    this.#options = options
    const { limits, clock } = options
    const rate = (perMinute: number): BucketMap =>
      new BucketMap(clock, perMinute, 60_000 / perMinute, limits.addressesRemembered)
    this.#hostRate = rate(limits.connectionsPerMinute)
    this.#networkRate = rate(limits.networkConnectionsPerMinute)
  }

  /** Entries in memory. */
  get remembered(): { readonly rates: number; readonly counts: number } {
    return {
      rates: this.#hostRate.size + this.#networkRate.size,
      counts: this.#hosts.size + this.#networks.size + this.#accounts.size,
    }
  }

  admit(address: string): Place | GateRefusal {
    const refused = this.#judge(address)
    if (refused === null) return this.#place(address)
    this.#options.turnedAway?.(refused, address)
    return refused
  }

  #judge(address: string): GateRefusal | null {
    const { limits, isTrusted, banned } = this.#options
    if (isTrusted(address)) return null
    const ban = banned?.(address) ?? null
    if (ban !== null) return { reason: 'banned', text: ban }
    const host = hostOf(address)
    const network = networkOf(address)
    if ((this.#hosts.get(host) ?? 0) >= limits.connectionsPerAddress)
      return {
        reason: 'connections',
        text: `more than ${limits.connectionsPerAddress} connections of ${host}`,
      }
    if ((this.#networks.get(network) ?? 0) >= limits.connectionsPerNetwork)
      return {
        reason: 'connections',
        text: `more than ${limits.connectionsPerNetwork} connections of ${network}`,
      }
    if (this.#hostRate.isFull(host))
      return {
        reason: 'rate',
        text: `more than ${limits.connectionsPerMinute} connections a minute of ${host}`,
      }
    if (this.#networkRate.isFull(network)) {
      const text = `more than ${limits.networkConnectionsPerMinute} connections a minute of ${network}`
      return { reason: 'rate', text }
    }
    this.#hostRate.add(host)
    this.#networkRate.add(network)
    return null
  }

  #place(address: string): Place {
    let held: Held | null = this.#hold(address)
    let account: number | null = null
    const release = (): void => {
      if (held !== null) this.#release(held)
      held = null
    }
    return {
      handshakes: this.#handshakes,
      farewells: this.#farewells,
      enter: (accountId) => {
        if (account !== null) return true
        if ((this.#accounts.get(accountId) ?? 0) >= this.#options.limits.connectionsPerAccount) return false
        raise(this.#accounts, accountId)
        account = accountId
        release()
        return true
      },
      moveTo: (moved) => {
        release()
        const refused = this.#judge(moved)
        if (refused !== null) this.#options.turnedAway?.(refused, moved)
        else held = this.#hold(moved)
        return refused
      },
      leave: () => {
        release()
        if (account !== null) lower(this.#accounts, account)
        account = null
      },
    }
  }

  #hold(address: string): Held {
    const held = { host: hostOf(address), network: networkOf(address) }
    raise(this.#hosts, held.host)
    raise(this.#networks, held.network)
    return held
  }

  #release({ host, network }: Held): void {
    lower(this.#hosts, host)
    lower(this.#networks, network)
  }
}

interface Held {
  readonly host: string
  readonly network: string
}

function raise<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function lower<K>(counts: Map<K, number>, key: K): void {
  const left = (counts.get(key) ?? 1) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
