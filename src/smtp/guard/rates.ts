import { BucketMap } from '../../base/bucket-map.ts'
import { hostOf } from '../../base/network.ts'
import type { SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { type GuardWorld, isStranger } from './guard-world.ts'

const hourMs = 3_600_000

/** Messages and recipients that one address may name within an hour; beyond it, later. */
export function rates({ limits, clock }: GuardWorld): SmtpFilter {
  const bucket = (perHour: number): BucketMap =>
    new BucketMap(clock, perHour, hourMs / perHour, limits.addressesRemembered)
  const messages = bucket(limits.messagesPerHour)
  const recipients = bucket(limits.recipientsPerHour)
  return {
    name: 'rates',
    open(client) {
      if (!isStranger(client)) return null
      let address = ''
      let host = ''
      // The address may change once, by PROXY or XCLIENT.
      const hostNow = (): string => {
        if (client.remoteAddress !== address) host = hostOf((address = client.remoteAddress))
        return host
      }
      return {
        mail() {
          const key = hostNow()
          if (messages.isFull(key))
            return refuse(450, '4.7.1', 'Too many messages from your address, try again later')
          messages.add(key)
          return null
        },
        rcpt() {
          const key = hostNow()
          if (recipients.isFull(key))
            return refuse(450, '4.7.1', 'Too many recipients from your address, try again later')
          recipients.add(key)
          return null
        },
      }
    },
  }
}
