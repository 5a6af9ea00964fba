import { HeaderSplitter } from '../../message/header-splitter.ts'
import { latin1 } from '../../message/header.ts'
import { normaliseAddress } from '../../store/address.ts'
import { type FilterEnding, nothingToSay, type SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import type { GuardWorld } from './guard-world.ts'

/**
 * A message that says it has been delivered to its recipients before goes round in circles, RFC 5321 §6.3. (The count of
 * Received fields ends those that nobody marks.)
 *
 * As with Postfix only the very address counts that is to be delivered to now: a list leaves the marks of others in its
 * post. One recipient without a mark gets the message, and so do those beside him, once more: here is one answer for all.
 */
export function loop({ limits }: GuardWorld): SmtpFilter {
  return {
    name: 'loop',
    open(client) {
      if (client.role !== 'mx') return null
      let header: HeaderSplitter | null = null
      return {
        octets(chunk) {
          header ??= new HeaderSplitter(limits.headerOctets)
          if (!header.known) header.push(chunk)
          return undefined
        },
        end({ recipients }): FilterEnding {
          if (header === null) return nothingToSay
          // What ends with its header.
          if (!header.known) header.finish()
          const delivered = deliveredTo(latin1(header.header))
          if (delivered.size === 0) return nothingToSay
          const circles = recipients.every((path) => delivered.has(normaliseAddress(path) ?? path))
          if (!circles || recipients.length === 0) return nothingToSay
          return { refusal: refuse(554, '5.4.6', 'This message has been delivered here before: a mail loop') }
        },
        reset() {
          header = null
        },
      }
    },
  }
}

/** The addresses of fields that are nothing but an address: `Delivered-To: mailing list ada@lists.example` is none. */
function deliveredTo(header: string): Set<string> {
  const found = new Set<string>()
  const fields = header.matchAll(/^delivered-to[ \t]*:[ \t]*<?([^<>\s]{1,320})>?[ \t]*(?=\r?$)/gim)
  for (const [, value = ''] of fields) {
    const address = normaliseAddress(value)
    if (address !== null) found.add(address)
  }
  return found
}
