import { networkOf } from '../../base/network.ts'
import { type FilterEnding, nothingToSay, type SmtpFilter } from '../filter/filter.ts'
import { domainOf, type GuardWorld, isStranger, pause } from './guard-world.ts'

const kind = 'known-sender'

/** Lets a sender never seen before wait before its message is accepted: who sends a million has no time for it. */
export function firstTime(world: GuardWorld): SmtpFilter {
  const { notes, clock, limits } = world
  return {
    name: 'first time',
    open(client) {
      if (!isStranger(client)) return null
      return {
        async end({ reversePath }): Promise<FilterEnding> {
          const key = `${networkOf(client.remoteAddress)} ${domainOf(reversePath)}`
          const known = notes.get(kind, key) !== null
          notes.put(kind, key, 1, clock.now() + limits.greylistPassMs)
          if (!known) await pause(world, limits.firstTimeDelayMs)
          return nothingToSay
        },
      }
    },
  }
}
