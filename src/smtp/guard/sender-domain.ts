import { DnsFailure, type Resolver } from '../../dns/resolver.ts'
import type { FilterAnswer, SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { domainOf, type GuardWorld, isStranger } from './guard-world.ts'

/** Refuses a reverse-path to which no report could go. Only what DNS states as a fact is permanent. */
export function senderDomain({ config, resolver, log }: GuardWorld): SmtpFilter {
  return {
    name: 'sender domain',
    open(client) {
      if (!config.senderDomain || !isStranger(client)) return null
      return {
        async mail(path) {
          const domain = domainOf(path)
          if (domain === '' || domain.startsWith('[')) return null
          try {
            return await judge(resolver, domain)
          } catch (error) {
            if (!(error instanceof DnsFailure)) log.error('sender domain cannot be judged', { domain, error })
            return refuse(451, '4.4.3', 'Cannot look up the domain of the sender, try again later')
          }
        },
      }
    },
  }
}

/** @throws {DnsFailure} */
async function judge(resolver: Resolver, domain: string): Promise<FilterAnswer> {
  const mx = await resolver.query(domain, 'MX')
  // RFC 7505.
  if (mx.status === 'found' && mx.records.every(({ exchange }) => exchange === ''))
    return refuse(550, '5.7.27', 'The domain of the sender accepts no mail (null MX)')
  if (mx.status === 'found') return null
  if (mx.status === 'absent') {
    // RFC 5321 §5.1: without an MX the domain's own address counts.
    const [v4, v6] = await Promise.allSettled([resolver.query(domain, 'A'), resolver.query(domain, 'AAAA')])
    for (const answer of [v4, v6]) {
      if (answer.status === 'fulfilled' && answer.value.status === 'found') return null
    }
    for (const answer of [v4, v6]) if (answer.status === 'rejected') throw answer.reason
  }
  return refuse(550, '5.1.8', 'The domain of the sender does not exist or has no mail host')
}
