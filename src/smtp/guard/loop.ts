import type { HeaderField } from '../../message/header.ts'
import { normaliseAddress } from '../../store/address.ts'
import { type FilterEnding, type FilterSession, nothingToSay, type SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'

/**
 * A message that says it has been delivered to its recipients before goes round in circles, RFC 5321 §6.3. (The count of
 * Received fields ends those that nobody marks.)
 *
 * As with Postfix only the very address counts that is to be delivered to now: a list leaves the marks of others in its
 * post. One recipient without a mark gets the message, and so do those beside him, once more: here is one answer for all.
 */
export function loop(): SmtpFilter {
  return {
    name: 'loop',
    open: ({ role }) => (role === 'mx' ? session : null),
  }
}

const session: FilterSession = {
  end({ recipients, headerFields }): FilterEnding {
    const delivered = deliveredTo(headerFields)
    if (delivered.size === 0) return nothingToSay
    const circles = recipients.every((path) => delivered.has(normaliseAddress(path) ?? path))
    if (!circles || recipients.length === 0) return nothingToSay
    return { refusal: refuse(554, '5.4.6', 'This message has been delivered here before: a mail loop') }
  },
}

const fieldName = 'delivered-to'

/** The addresses of fields that are nothing but an address: `Delivered-To: mailing list ada@lists.example` is none. */
function deliveredTo(fields: readonly HeaderField[]): Set<string> {
  const found = new Set<string>()
  for (const { name, value } of fields) {
    if (name.length !== fieldName.length || name.toLowerCase() !== fieldName) continue
    const [, written] = /^[ \t]*<?([^<>\s]{1,320})>?[ \t]*(?:\r?\n|$)/.exec(value) ?? []
    const address = normaliseAddress(written ?? '')
    if (address !== null) found.add(address)
  }
  return found
}
