import { BucketMap } from '../../base/bucket-map.ts'
import { hostOf } from '../../base/network.ts'
import type { FilterAnswer, SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { type GuardWorld, isStranger, pause } from './guard-world.ts'

const hourMs = 3_600_000

/**
 * Slows down who looks for addresses by asking for many: after the first few unknown recipients of an hour each further
 * one is answered later, then the connection ends, and at last the address is banned.
 */
export function harvest(world: GuardWorld): SmtpFilter {
  const { limits, clock, offences } = world
  const most = limits.banUnknownRecipients
  const unknown = new BucketMap(clock, most, hourMs / most, limits.addressesRemembered)
  async function refusedOne(address: string): Promise<FilterAnswer> {
    const host = hostOf(address)
    unknown.add(host)
    offences.count('recipient', address)
    const over = Math.round(unknown.level(host)) - limits.unknownRecipients
    if (over <= 0 || limits.tarpitStepMs === 0) return null
    const delayMs = over * limits.tarpitStepMs
    await pause(world, Math.min(delayMs, limits.tarpitMaxMs))
    return delayMs < limits.tarpitMaxMs
      ? null
      : refuse(421, '4.7.0', 'Too many unknown recipients, closing connection')
  }
  return {
    name: 'harvest',
    open(client) {
      if (!isStranger(client)) return null
      // Not async: for a recipient who is here nothing is waited for.
      return { rcpt: (_path, _parameters, known) => (known ? null : refusedOne(client.remoteAddress)) }
    },
  }
}
