/**
 * The report to a sender that a letter did not arrive, or not yet: multipart/report of RFC 6522 with the
 * message/delivery-status of RFC 3464 and the original's header.
 *
 * What stands in it was written by strangers (replies, addresses, the original's header): it is bounded, of printable
 * ASCII in the two first parts, and the boundary is random, so that nothing in it can end a part. The whole is 7-bit
 * unless the sender's own address is not.
 */
import type { Random } from '../base/random.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'
import type { RecipientOutcome } from './outcome.ts'
import { timeOrderedId } from '../base/random.ts'
import { formatDate } from '../message/date.ts'
import { messageIds } from '../message/envelope.ts'
import { headerValues } from '../message/header.ts'
import { encodeQuotedPrintable } from '../message/transfer-encoding.ts'
import { deliveryStatus } from './delivery-status.ts'

/** Octets of the original's header that go back with a report. */
export const returnedHeaderOctets = 32_768

export interface ReportRequest {
  /** `failed`: given up. `delayed`: still being tried, RFC 3464 §2.3.3. */
  readonly action: 'failed' | 'delayed'
  readonly entry: QueueEntry
  /** Those the report is about, each with what became of it last. */
  readonly recipients: readonly { readonly recipient: QueueRecipient; readonly outcome: RecipientOutcome }[]
  /** The original's header, at most `returnedHeaderOctets`; null when it cannot be read. */
  readonly header: Uint8Array | null
  readonly hostname: string
  readonly now: number
  readonly random: Random
}

export interface Report {
  /** Header and body. */
  readonly octets: Buffer
  /** With angle brackets. */
  readonly messageId: string
  /** The sender's address needs RFC 6531. */
  readonly smtpUtf8: boolean
}

/** Writes a report; who gets it is not decided here. */
export function writeReport(request: ReportRequest): Report {
  const { entry, hostname, now, random, header } = request
  const messageId = `<${timeOrderedId(now, random)}@${hostname}>`
  const boundary = `=_${Buffer.from(random.bytes(18)).toString('hex')}`
  const parts = [
    part('text/plain; charset=utf-8', explanation(request)),
    part('message/delivery-status', deliveryStatus(request)),
  ]
  if (header !== null) parts.push(part('text/rfc822-headers', Buffer.from(header).toString('latin1')))
  const head = [
    `Date: ${formatDate(now)}`,
    `From: Mail delivery <${postmaster(entry, hostname)}>`,
    `To: <${octetsOf(entry.reversePath)}>`,
    `Subject: ${request.action === 'failed' ? 'Your letter could not be delivered' : 'Your letter is delayed'}`,
    `Message-ID: ${messageId}`,
    ...thread(header),
    // RFC 3834 §5: no vacation notice, no other robot may answer this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
  ]
  const body = parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('')
  const text = `${head.join('\r\n')}\r\n\r\n${body}--${boundary}--\r\n`
  return { octets: Buffer.from(text, 'latin1'), messageId, smtpUtf8: /[^\x20-\x7e]/.test(entry.reversePath) }
}

/** RFC 3464 §2: the human who keeps the reporting system. Our own people know theirs under their own domain. */
function postmaster(entry: QueueEntry, hostname: string): string {
  const domain = entry.reversePath.slice(entry.reversePath.lastIndexOf('@') + 1)
  return `postmaster@${entry.accountId !== 0 && domain !== '' ? octetsOf(domain) : hostname}`
}

/** So that the report stands under the letter it is about, RFC 5322 §3.6.4. */
function thread(header: Uint8Array | null): string[] {
  const original = header === null ? undefined : messageIds(headerValues(header, 'Message-ID')[0] ?? '')[0]
  if (original === undefined || !/^<[\x21-\x7e]{3,250}>$/.test(original)) return []
  return [`In-Reply-To: ${original}`, `References: ${original}`]
}

function explanation(request: ReportRequest): string {
  const lines = [
    request.action === 'failed'
      ? 'Your letter could not be delivered to:'
      : 'Your letter has not been delivered yet to:',
    '',
  ]
  for (const { recipient, outcome } of request.recipients) {
    lines.push(`  ${octetsOf(recipient.forwardPath)}`)
    lines.push(`    ${outcome.host === null ? '' : `${outcome.host} answered: `}${outcome.text}`, '')
  }
  const days = Math.round((request.now - request.entry.createdAt) / 86_400_000)
  if (request.action === 'delayed') {
    lines.push(`Nothing needs to be done: it is tried again until ${formatDate(request.entry.expiresAt)}.`)
  } else if (days > 0)
    lines.push(`It was tried for ${days === 1 ? 'a day' : `${days} days`}, and is not tried any more.`)
  else lines.push('It is not tried again.')
  if (request.header !== null) lines.push('The header of your letter is attached.')
  lines.push('', `The mail server at ${request.hostname}`)
  return lines.join('\r\n')
}

/** @param text One char per octet, CRLF between lines. */
function part(contentType: string, text: string): string {
  // RFC 6522 §4 allows quoted-printable for a header that is broken or extended; RFC 5322 §2.1.1 bounds lines to 998.
  const plain = /^[\x09\x20-\x7e\r\n]*$/.test(text) && !/[^\r\n]{998}|\r(?!\n)|(?<!\r)\n/.test(text)
  const encoding = plain ? '' : 'Content-Transfer-Encoding: quoted-printable\r\n'
  const content = plain ? text : encodeQuotedPrintable(Buffer.from(text, 'latin1'))
  return `Content-Type: ${contentType}\r\n${encoding}\r\n${content}`
}

/** Text as UTF-8 with one char per octet; a line end in it would be a header field of somebody else's. */
function octetsOf(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, '')).toString('latin1')
}
