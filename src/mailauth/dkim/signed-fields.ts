import type { FieldPicker } from './canonical-header.ts'

/**
 * RFC 6376 §5.4.1, and what a user agent shows or obeys. Each is named once more than it is there: a field of that name
 * that is added on the way breaks the signature.
 */
const guarded = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-id',
  'content-description',
]

/** Signed when they are there; a list or a resender may add its own. */
const included = [
  'resent-date',
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-message-id',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'auto-submitted',
  // RFC 8460 §5.3.
  'tls-report-domain',
  'tls-report-submitter',
  'autocrypt',
]

/** Fields of one name that are signed at most; the other ones, and a message like that is no letter, are not. */
const sameNameMax = 20

/** The names of h=, in the order in which they are signed. */
export function namesToSign(picker: FieldPicker): string[] {
  const names: string[] = []
  for (const name of guarded) {
    const count = Math.min(picker.count(name), sameNameMax)
    for (let times = 0; times <= count; times++) names.push(name)
  }
  for (const name of included) {
    const count = Math.min(picker.count(name), sameNameMax)
    for (let times = 0; times < count; times++) names.push(name)
  }
  return names
}
