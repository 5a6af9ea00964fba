import type { FilterAnswer, FilterEnding, SmtpFilter } from '../filter/filter.ts'
import { nothingToSay } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { domainOf, type GuardWorld } from './guard-world.ts'

/** `[guards.sizes]`: what a domain of ours takes, where that is less than the server does. */
export function sizes({ config }: GuardWorld): SmtpFilter {
  const tooBig = (): ReturnType<typeof refuse> =>
    refuse(552, '5.3.4', 'Message size exceeds what the domain of the recipient takes')
  return {
    name: 'sizes',
    open() {
      if (config.sizes.size === 0) return null
      let declared = 0
      return {
        mail(_path, parameters): FilterAnswer {
          const size = parameters.find((parameter) => /^SIZE=\d{1,15}$/i.test(parameter))
          declared = size === undefined ? 0 : Number(size.slice(5))
          return null
        },
        rcpt(path, _parameters, known): FilterAnswer {
          const most = config.sizes.get(domainOf(path))
          // RFC 1870 §6.2: said for this recipient, the others may still have it.
          return known && most !== undefined && declared > most ? tooBig() : null
        },
        end({ recipients, octets }): FilterEnding {
          const over = recipients.some((path) => octets > (config.sizes.get(domainOf(path)) ?? octets))
          return over ? { refusal: tooBig() } : nothingToSay
        },
      }
    },
  }
}
