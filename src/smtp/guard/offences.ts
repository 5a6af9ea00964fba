import { BucketMap } from '../../base/bucket-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import { hostOf, networkOf } from '../../base/network.ts'
import type { BanList } from './bans.ts'

export type Offence = 'login' | 'recipient' | 'protocol'

const hourMs = 3_600_000
/** A whole network is banned for so many times what one address is. */
const networkFactor = 5
const reasons: Readonly<Record<Offence, string>> = {
  login: 'guessed passwords',
  recipient: 'asked for many who are not here',
  protocol: 'many protocol errors',
}

export interface OffenceOptions {
  readonly bans: BanList
  readonly clock: Clock
  readonly limits: Pick<
    Limits,
    'banLoginFailures' | 'banUnknownRecipients' | 'banProtocolErrors' | 'addressesRemembered'
  >
  isTrusted(address: string): boolean
}

/** Counts what strangers do wrong, by address and by network, and bans whoever does too much of it within an hour. */
export class Offences {
  readonly #options: OffenceOptions
  readonly #hosts: Readonly<Record<Offence, BucketMap>>
  readonly #networks: Readonly<Record<Offence, BucketMap>>

  constructor(options: OffenceOptions) {
    this.#options = options
    this.#hosts = this.#buckets(1)
    this.#networks = this.#buckets(networkFactor)
  }

  #buckets(factor: number): Record<Offence, BucketMap> {
    const { clock, limits } = this.#options
    const of = (count: number): BucketMap =>
      new BucketMap(clock, count * factor, hourMs / (count * factor), limits.addressesRemembered)
    return {
      login: of(limits.banLoginFailures),
      recipient: of(limits.banUnknownRecipients),
      protocol: of(limits.banProtocolErrors),
    }
  }

  count(offence: Offence, address: string): void {
    if (this.#options.isTrusted(address)) return
    this.#add(this.#hosts[offence], hostOf(address), offence)
    this.#add(this.#networks[offence], networkOf(address), offence)
  }

  #add(buckets: BucketMap, network: string, offence: Offence): void {
    buckets.add(network)
    if (!buckets.isFull(network)) return
    buckets.clear(network)
    this.#options.bans.punish(network, reasons[offence])
  }
}
