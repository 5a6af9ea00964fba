/** The part of a report that machines read: message/delivery-status, RFC 3464 §2. */
import type { ReportRequest } from './dsn.ts'
import { formatDate } from '../message/date.ts'
import { formatField } from '../message/fields.ts'
import { harmless } from './outcome.ts'

/**
 * delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
 *
 * @returns 7-bit, CRLF at every line's end.
 */
export function deliveryStatus(request: ReportRequest): string {
  const { entry, hostname, now } = request
  const message = [`Reporting-MTA: dns; ${hostname}`]
  // RFC 3461 §6.3 (a): exactly when the sender gave one, and not as xtext.
  if (entry.envid !== null) message.unshift(`Original-Envelope-Id: ${harmless(fromXtext(entry.envid))}`)
  message.push(`Arrival-Date: ${formatDate(entry.createdAt)}`)
  const groups = request.recipients.map(({ recipient, outcome }) => {
    const fields: string[] = []
    if (recipient.orcpt !== null) fields.push(`Original-Recipient: ${originalRecipient(recipient.orcpt)}`)
    fields.push(`Final-Recipient: ${finalRecipient(recipient.forwardPath)}`)
    fields.push(`Action: ${request.action}`, `Status: ${statusCode(outcome.status)}`)
    // RFC 3464 §2.3.5 and §2.3.6: the remote's name stands there exactly when the diagnostic is the remote's.
    if (outcome.host !== null) {
      fields.push(`Remote-MTA: dns; ${harmless(outcome.host)}`)
      fields.push(diagnostic('smtp', outcome.text))
    } else fields.push(diagnostic('x-posthorn', outcome.text))
    fields.push(`Last-Attempt-Date: ${formatDate(now)}`)
    if (request.action === 'delayed') fields.push(`Will-Retry-Until: ${formatDate(entry.expiresAt)}`)
    return fields
  })
  return [message, ...groups].map((fields) => `${fields.join('\r\n')}\r\n`).join('\r\n')
}

/** original-recipient-field = "Original-Recipient" ":" address-type ";" generic-address */
function originalRecipient(orcpt: string): string {
  const [, type = 'rfc822', address = ''] = /^([A-Za-z0-9-]+);(.*)$/s.exec(orcpt) ?? ['', 'unknown', orcpt]
  return `${type}; ${harmless(fromXtext(address))}`
}

/** RFC 6533 §3: an address beyond ASCII is of the type utf-8, here in its 7-bit form utf-8-addr-xtext. */
function finalRecipient(forwardPath: string): string {
  if (/^[\x20-\x7e]*$/.test(forwardPath)) return `rfc822; ${forwardPath}`
  const escaped = forwardPath.replace(
    /[^\x21-\x7e]|[\\+=]/gu,
    (char) => `\\x{${char.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}}`,
  )
  return `utf-8; ${escaped}`
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
