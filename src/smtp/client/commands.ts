/** MAIL and RCPT as we write them: RFC 5321 §4.1.1, with the parameters that the server has offered. */
import type { MailAsks, OutgoingMessage, OutgoingRecipient } from './message.ts'

export type Dialect = 'esmtp' | 'lecture'
type Extensions = ReadonlyMap<string, string>

/** @returns One char per octet. */
export function mailCommand(message: OutgoingMessage, extensions: Extensions, dialect: Dialect): string {
  let command = `MAIL FROM:${space(dialect)}<${octetsOf(message.reversePath)}>`
  if (dialect === 'lecture') return command
  if (extensions.has('SIZE')) command += ` SIZE=${message.octets}` // RFC 1870 §3
  if (message.asks?.binary)
    command += ' BODY=BINARYMIME' // RFC 3030 §3
  else if (message.eightBit && extensions.has('8BITMIME')) command += ' BODY=8BITMIME' // RFC 6152 §3
  if (needsSmtpUtf8(message)) command += ' SMTPUTF8' // RFC 6531 §3.4
  command += asked(message.asks, extensions)
  if (!extensions.has('DSN')) return command
  if (message.ret !== null) command += ` RET=${message.ret}` // RFC 3461 §4.3
  if (isParameter(message.envid)) command += ` ENVID=${message.envid}` // RFC 3461 §4.4
  return command
}

function asked(asks: MailAsks | undefined, extensions: Extensions): string {
  if (asks === undefined) return ''
  let words = ''
  if (asks.requireTls && extensions.has('REQUIRETLS')) words += ' REQUIRETLS' // RFC 8689 §2
  // RFC 6710 §4.2: also when it is 0.
  if (extensions.has('MT-PRIORITY')) words += ` MT-PRIORITY=${asks.priority}`
  if (asks.deliverBy !== null && extensions.has('DELIVERBY')) {
    const { seconds, mode, trace } = asks.deliverBy
    // RFC 2852: nine digits at most.
    const bounded = Math.max(-999_999_999, Math.min(999_999_999, seconds))
    words += ` BY=${bounded};${mode}${trace ? 'T' : ''}`
  }
  return words
}

/** @returns One char per octet. */
export function rcptCommand(recipient: OutgoingRecipient, extensions: Extensions, dialect: Dialect): string {
  let command = `RCPT TO:${space(dialect)}<${octetsOf(recipient.forwardPath)}>`
  if (dialect === 'lecture' || !extensions.has('DSN')) return command
  if (isParameter(recipient.notify)) command += ` NOTIFY=${recipient.notify}` // RFC 3461 §4.1
  if (isParameter(recipient.orcpt)) command += ` ORCPT=${recipient.orcpt}` // RFC 3461 §4.2
  return command
}

/** RFC 5321 §3.3 forbids the space; the lecture prints it, and the Lab shows the lecture. */
function space(dialect: Dialect): string {
  return dialect === 'lecture' ? ' ' : ''
}

/**
 * Whether the path can be written without becoming something else: RFC 5321 §4.1.2, U-labels and UTF-8 local parts of
 * RFC 6531 §3.3 included. Not a check of addresses: it keeps commands and parameters out.
 */
export function isWritablePath(path: string): boolean {
  return Buffer.byteLength(path) <= 320 && pathPattern.test(path)
}

// The local part: anything but specials, or a quoted string. The domain: anything but specials, or a literal.
const pathPattern =
  /^(?:[^\x00-\x20\x7f()<>[\]:;@\\,"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*")@(?:[^\x00-\x20\x7f()<>[\]:;@\\,"]+|\[[\x21-\x5a\x5e-\x7e]+\])$/

export function needsSmtpUtf8(message: OutgoingMessage): boolean {
  const paths = [message.reversePath, ...message.recipients.map((recipient) => recipient.forwardPath)]
  return message.smtpUtf8 || !paths.every((path) => /^[\x00-\x7f]*$/.test(path))
}

/** esmtp-value = 1*(%d33-60 / %d62-126); NOTIFY, ORCPT and ENVID are kept as they came, so they are looked at again. */
function isParameter(value: string | null): value is string {
  return value !== null && /^[\x21-\x3c\x3e-\x7e]{1,500}$/.test(value)
}

function octetsOf(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1')
}
