/** The part of a report that machines read: message/delivery-status, RFC 3464 §2. */
import type { ReportRequest } from './dsn.ts'
import { formatDate } from '../message/date.ts'
import { formatField } from '../message/fields.ts'
import { harmless } from './outcome.ts'

/**
 * delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
 *
 * @returns One char per octet, CRLF at every line's end; 7-bit unless the message needed RFC 6531.
 */
export function deliveryStatus(request: ReportRequest): string {
  const { entry, hostname, now } = request
  const message = [`Reporting-MTA: dns; ${hostname}`]
  // RFC 3461 §6.3 (a): exactly when the sender gave one, and not as xtext.
  if (entry.envid !== null) message.unshift(`Original-Envelope-Id: ${harmless(fromXtext(entry.envid))}`)
  message.push(`Arrival-Date: ${formatDate(entry.createdAt)}`)
  message.push(...wishFields(entry))
  const groups = request.recipients.map(({ recipient, outcome, action }) => {
    const fields: string[] = []
    if (recipient.orcpt !== null)
      fields.push(`Original-Recipient: ${originalRecipient(recipient.orcpt, entry.smtpUtf8)}`)
    fields.push(`Final-Recipient: ${finalRecipient(recipient.forwardPath, entry.smtpUtf8)}`)
    fields.push(`Action: ${action ?? request.action}`, `Status: ${statusCode(outcome.status)}`)
    // RFC 3464 §2.3.5 and §2.3.6: the remote's name stands there exactly when the diagnostic is the remote's.
    if (outcome.host !== null) {
      fields.push(`Remote-MTA: dns; ${harmless(outcome.host)}`)
      fields.push(diagnostic('smtp', outcome.text))
    } else fields.push(diagnostic('x-posthorn', outcome.text))
    fields.push(`Last-Attempt-Date: ${formatDate(now)}`)
    if (action === 'delayed') fields.push(`Will-Retry-Until: ${formatDate(entry.expiresAt)}`)
    return fields
  })
  return [message, ...groups].map((fields) => `${fields.join('\r\n')}\r\n`).join('\r\n')
}

/** What its sender had asked for, as he asked: RFC 2852 §5, RFC 4865 §5.1.2. */
function wishFields({ wishes: { deliverBy, holdFor, holdUntil } }: ReportRequest['entry']): string[] {
  const fields: string[] = []
  if (deliverBy !== null) fields.push(`Deliver-By-Date: ${formatDate(deliverBy.at)}`)
  if (holdFor !== null) fields.push(`Future-Release-Request: for;${holdFor}`)
  else if (holdUntil !== null) {
    fields.push(`Future-Release-Request: until;${new Date(holdUntil).toISOString().replace(/\.\d+/, '')}`)
  }
  return fields
}

/** original-recipient-field = "Original-Recipient" ":" address-type ";" generic-address */
function originalRecipient(orcpt: string, utf8: boolean): string {
  const [, type = 'rfc822', address = ''] = /^([A-Za-z0-9-]+);(.*)$/s.exec(orcpt) ?? ['', 'unknown', orcpt]
  // RFC 6533 §3: it came as utf-8-addr-xtext, and stands in a report of UTF-8 as what it means.
  if (utf8 && type.toLowerCase() === 'utf-8') return `${type}; ${utf8Octets(fromUtf8Xtext(address))}`
  return `${type}; ${harmless(fromXtext(address))}`
}

/** RFC 6533 §3: an address beyond ASCII is of the type utf-8; where UTF-8 is not allowed, as utf-8-addr-xtext. */
function finalRecipient(forwardPath: string, utf8: boolean): string {
  if (/^[\x20-\x7e]*$/.test(forwardPath)) return `rfc822; ${forwardPath}`
  if (utf8) return `utf-8; ${utf8Octets(forwardPath)}`
  const escaped = forwardPath.replace(
    /[^\x21-\x7e]|[\\+=]/gu,
    (char) => `\\x{${char.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`,
  )
  return `utf-8; ${escaped}`
}

/** EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}", RFC 6533 §3 */
function fromUtf8Xtext(text: string): string {
  return fromXtext(text).replace(/\\x\{([0-9A-F]{2,6})\}/g, (whole, hex: string) => {
    const point = Number.parseInt(hex, 16)
    return point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? whole : String.fromCodePoint(point)
  })
}

/** As UTF-8, one char per octet, without anything that could end a line. */
function utf8Octets(text: string): string {
  return Buffer.from(text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '').slice(0, 500)).toString('latin1')
}

/** diagnostic-code-field = "Diagnostic-Code" ":" diagnostic-type ";" *text */
function diagnostic(type: string, text: string): string {
  return formatField('Diagnostic-Code', `${type}; ${harmless(text)}`).trimEnd()
}

/** status-code = DIGIT "." 1*3DIGIT "." 1*3DIGIT */
function statusCode(status: string): string {
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(status) ? status : '5.0.0'
}

/** xtext = *( xchar / "+" 2HEXDIG ), RFC 3461 §4 */
function fromXtext(text: string): string {
  return text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
