/**
 * The report to a sender of what became of a letter: multipart/report of RFC 6522 with the message/delivery-status of
 * RFC 3464 and the original or its header. About a letter that needed RFC 6531 the parts are those of RFC 6533, in UTF-8.
 *
 * What stands in it was written by strangers (replies, addresses, the original's header): it is bounded, of printable
 * ASCII in the two first parts (but for addresses that are not), and the boundary is random, so that nothing in it can
 * end a part. The whole is 7-bit unless the sender's own address is not, or an 8-bit letter goes back whole.
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
import type { Original } from './original.ts'
import type { Action } from './verdict.ts'

export interface ReportRequest {
  /** The gravest of the actions. */
  readonly action: Action
  readonly entry: QueueEntry
  /** Those the report is about, each with what became of it last. */
  readonly recipients: readonly {
    readonly recipient: QueueRecipient
    readonly outcome: RecipientOutcome
    /** RFC 3464 §2.3.3 */
    readonly action: Action | null
  }[]
  /** Null when it cannot be read. */
  readonly original: Original | null
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
  readonly eightBit: boolean
  /** Of the From field, for whoever signs it. */
  readonly authorDomain: string
}

const subjects: { readonly [action in Action]: string } = {
  failed: 'Your letter could not be delivered',
  delayed: 'Your letter is delayed',
  delivered: 'Your letter was delivered',
  relayed: 'Your letter was passed on',
  expanded: 'Your letter was passed on',
}

/** Writes a report; who gets it is not decided here. */
export function writeReport(request: ReportRequest): Report {
  const { entry, hostname, now, random, original } = request
  const messageId = `<${timeOrderedId(now, random)}@${hostname}>`
  const boundary = `=_${Buffer.from(random.bytes(18)).toString('hex')}`
  const global = entry.smtpUtf8
  const parts = [
    part('text/plain; charset=utf-8', explanation(request)),
    part(global ? 'message/global-delivery-status' : 'message/delivery-status', deliveryStatus(request)),
  ]
  if (original !== null) parts.push(originalPart(original, global))
  const eightBit = /[^\x00-\x7f]/.test(parts.join('')) || /[^\x20-\x7e]/.test(entry.reversePath)
  const authorDomain = domainOfAuthor(entry, hostname)
  const head = [
    `Date: ${formatDate(now)}`,
    `From: Mail delivery <postmaster@${octetsOf(authorDomain)}>`,
    `To: <${octetsOf(entry.reversePath)}>`,
    `Subject: ${subjects[request.action]}`,
    `Message-ID: ${messageId}`,
    ...thread(original),
    // RFC 3834 §5: no vacation notice, no other robot may answer this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
    // RFC 2045 §6.4: what holds 8-bit parts is 8-bit itself.
    ...(/[^\x00-\x7f]/.test(parts.join('')) ? ['Content-Transfer-Encoding: 8bit'] : []),
  ]
  const body = parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('')
  const text = `${head.join('\r\n')}\r\n\r\n${body}--${boundary}--\r\n`
  const octets = Buffer.from(text, 'latin1')
  return { octets, messageId, smtpUtf8: /[^\x20-\x7e]/.test(entry.reversePath), eightBit, authorDomain }
}

/** The original as it is (RFC 2046 §5.2.1 allows no encoding of a message), or its header. */
function originalPart({ octets, whole }: Original, global: boolean): string {
  const text = octets.toString('latin1')
  if (!whole) return part(global ? 'message/global-headers' : 'text/rfc822-headers', text)
  // RFC 6532 §3.5: this one may be encoded.
  if (global) return part('message/global', text)
  const encoding = /[^\x00-\x7f]/.test(text) ? 'Content-Transfer-Encoding: 8bit\r\n' : ''
  return `Content-Type: message/rfc822\r\n${encoding}\r\n${text}`
}

/** RFC 3464 §2: the human who keeps the reporting system. Our own people know theirs under their own domain. */
function domainOfAuthor(entry: QueueEntry, hostname: string): string {
  const domain = entry.reversePath.slice(entry.reversePath.lastIndexOf('@') + 1)
  return entry.accountId !== 0 && domain !== '' ? domain : hostname
}

/** So that the report stands under the letter it is about, RFC 5322 §3.6.4. */
function thread(original: Original | null): string[] {
  const written = original === null ? [] : headerValues(original.octets, 'Message-ID')
  const messageId = messageIds(written[0] ?? '')[0]
  if (messageId === undefined || !/^<[\x21-\x7e]{3,250}>$/.test(messageId)) return []
  return [`In-Reply-To: ${messageId}`, `References: ${messageId}`]
}

/** What is said above those it is said of. */
const openings: { readonly [action in Action]: string } = {
  failed: 'Your letter could not be delivered to:',
  delayed: 'Your letter has not been delivered yet to:',
  delivered: 'Your letter was delivered, as you wished to know, to:',
  relayed: 'Your letter was passed on to a server that will not tell us more, for:',
  expanded: 'Your letter was passed on to all members of:',
}

function explanation(request: ReportRequest): string {
  const { entry, original } = request
  const lines: string[] = []
  for (const action of Object.keys(openings) as Action[]) {
    const about = request.recipients.filter((each) => each.action === action)
    if (about.length === 0) continue
    lines.push(openings[action], '')
    for (const { recipient, outcome } of about) {
      lines.push(`  ${octetsOf(recipient.forwardPath)}`)
      lines.push(`    ${outcome.host === null ? '' : `${outcome.host} answered: `}${outcome.text}`, '')
    }
    if (action === 'failed') lines.push(howLong(request), '')
    if (action === 'delayed') {
      lines.push(`Nothing needs to be done: it is tried again until ${formatDate(entry.expiresAt)}.`, '')
    }
  }
  if (original !== null) lines.push(`${original.whole ? 'Your' : 'The header of your'} letter is attached.`)
  lines.push('', `The mail server at ${request.hostname}`)
  return lines.join('\r\n')
}

function howLong({ now, entry }: ReportRequest): string {
  const days = Math.round((now - entry.createdAt) / 86_400_000)
  if (days === 0) return 'It is not tried again.'
  return `It was tried for ${days === 1 ? 'a day' : `${days} days`}, and is not tried any more.`
}

/** @param text One char per octet, CRLF between lines. */
function part(contentType: string, text: string): string {
  // RFC 6522 §4 allows quoted-printable for a header that is broken or extended; RFC 5322 §2.1.1 bounds lines to 998.
  const plain =
    /^[\x09\x20-\x7e\r\n]*$/.test(text) && !/(?<![^\r\n])[^\r\n]{998}|\r(?!\n)|(?<!\r)\n/.test(text)
  const encoding = plain ? '' : 'Content-Transfer-Encoding: quoted-printable\r\n'
  const content = plain ? text : encodeQuotedPrintable(Buffer.from(text, 'latin1'))
  return `Content-Type: ${contentType}\r\n${encoding}\r\n${content}`
}

/** Text as UTF-8 with one char per octet; a line end in it would be a header field of somebody else's. */
function octetsOf(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]/g, '')).toString('latin1')
}
