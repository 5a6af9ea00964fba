import type { Limits } from '../base/limits.ts'
import { countFields } from '../message/header.ts'
import type { MessageScan } from '../message/scan.ts'
import { refuse } from '../smtp/wire/reply.ts'

/**
 * Refuses what cannot be kept as it is, and is not ours to repair.
 *
 * @throws {Refusal} 550 for ambiguous octets, 552 and 554 for what is over a limit.
 */
export function checkMessage(scan: MessageScan, longestLine: number, limits: Limits): void {
  // RFC 5321 §2.3.8: CR and LF only together. What one server reads as two lines another reads as one.
  if (scan.bareLf) throw refuse(550, '5.6.0', 'Message has a line that ends with LF instead of CRLF')
  if (scan.bareCr) throw refuse(550, '5.6.0', 'Message has a CR without LF')
  // RFC 3501 §9: a CHAR8 is never NUL, so such a message could not be shown to anybody.
  if (scan.nul) throw refuse(550, '5.6.0', 'Message has a NUL octet')
  if (longestLine > limits.textLineOctets)
    throw refuse(552, '5.6.0', `Message has a line over ${limits.textLineOctets} octets`)
  if (scan.overLimit !== null)
    throw refuse(
      552,
      '5.3.4',
      `Message is over the limit for ${limitNames[scan.overLimit] ?? scan.overLimit}`,
    )
  // RFC 5322 §3.6: one that judges senders may read the first, and one that shows them the last.
  if (countFields(scan, 'from') > 1) throw refuse(550, '5.6.0', 'Message has more than one From field')
  // RFC 5321 §6.3.
  if (countFields(scan, 'received') > limits.hops)
    throw refuse(554, '5.4.6', 'Too many hops, this message is going round in circles')
}

const limitNames: Record<string, string> = {
  headerOctets: 'the size of its header',
  headerFields: 'the number of header fields',
  parts: 'the number of MIME parts',
  nesting: 'the nesting of MIME parts',
}
