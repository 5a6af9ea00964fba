import { normaliseAddress } from '../../store/address.ts'
import { type FilterEnding, nothingToSay, type SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import type { GuardWorld } from './guard-world.ts'

const headerEnd = '\r\n\r\n'

/**
 * A message that says it has been delivered to one of its recipients before goes round in circles, RFC 5321 §6.3. (The count
 * of Received fields ends those that nobody marks.)
 */
export function loop({ limits }: GuardWorld): SmtpFilter {
  return {
    name: 'loop',
    open(client) {
      if (client.role !== 'mx') return null
      let header = ''
      let whole = false
      return {
        octets(chunk) {
          if (whole) return undefined
          const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
          // Most headers come whole; then nothing of the body is looked at.
          const first = header === '' ? octets.indexOf(headerEnd) : -1
          // What the end of the header may begin with, in the part before.
          const from = Math.max(0, header.length - headerEnd.length)
          header += octets.toString(
            'latin1',
            0,
            first < 0 ? limits.headerOctets : Math.min(first, limits.headerOctets),
          )
          const end = first < 0 ? header.indexOf(headerEnd, from) : first
          if (end >= 0) header = header.slice(0, end)
          whole = end >= 0 || header.length >= limits.headerOctets
          return undefined
        },
        end({ recipients }): FilterEnding {
          // A message may begin with the empty line: then all of it is body.
          const delivered = deliveredTo(header.startsWith('\r\n') ? '' : header)
          const circles = recipients.some((path) => delivered.has(normaliseAddress(path) ?? path))
          if (!circles) return nothingToSay
          return { refusal: refuse(554, '5.4.6', 'This message has been delivered here before: a mail loop') }
        },
        reset() {
          header = ''
          whole = false
        },
      }
    },
  }
}

function deliveredTo(header: string): Set<string> {
  const found = new Set<string>()
  for (const [, value = ''] of header.matchAll(/^delivered-to:[ \t]*<?([^<>\s]{1,320})/gim)) {
    const address = normaliseAddress(value)
    if (address !== null) found.add(address)
  }
  return found
}
