import type { SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { type GuardWorld, isStranger, pause } from './guard-world.ts'

/** RFC 5321 §3.1: the client waits for the greeting. Programs that only send do not, and are sent away. */
export function earlyTalker(world: GuardWorld): SmtpFilter {
  const early = refuse(554, '5.5.1', 'You spoke before the greeting')
  return {
    name: 'early talker',
    open(client) {
      if (!isStranger(client)) return null
      return {
        connect() {
          if (client.waitingOctets > 0) return early
          if (world.limits.greetingDelayMs === 0) return null
          return pause(world, world.limits.greetingDelayMs).then(() =>
            client.waitingOctets > 0 ? early : null,
          )
        },
      }
    },
  }
}
