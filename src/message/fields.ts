import { formatDate } from './date.ts'

const CONTROLS = /[\x00-\x1f\x7f]/
const CONTROL_RUNS = /[\x00-\x1f\x7f]+/g

/** RFC 5322 §2.1.1: lines should have no more than 78 characters. */
const LINE_CHARS = 78

/**
 * A header field, folded at its blanks where a line would grow over 78 characters, RFC 5322 §2.2.3.
 *
 * @param value Unfolded. A line end or other control in it becomes a blank: none can begin another field.
 * @returns Ends with CRLF.
 */
export function formatField(name: string, value: string): string {
  const plain = (CONTROLS.test(value) ? value.replace(CONTROL_RUNS, ' ') : value).trim()
  return plain === '' ? `${name}:\r\n` : fold(name, plain)
}

/** @param value Not empty, without controls, and without blanks at its ends. */
function fold(name: string, value: string): string {
  const text = `${name}: ${value}`
  let folded = ''
  let lineStart = 0
  // Each piece is a word with the blanks before it, so a continuation never consists of blanks alone.
  for (let at = name.length + 1; at < text.length && text.length - lineStart > LINE_CHARS; ) {
    const end = wordEnd(text, at)
    const line = end - lineStart > LINE_CHARS && text[at - 1] !== ':' ? text.slice(lineStart, at) : ''
    if (line.trim() !== '') {
      folded += `${line}\r\n`
      lineStart = at
    }
    at = end
  }
  return `${folded}${text.slice(lineStart)}\r\n`
}

/** Behind the blanks at `at` and the word after them. */
function wordEnd(text: string, at: number): number {
  let start = at
  while (text[start] === ' ') start++
  const end = text.indexOf(' ', start)
  return end < 0 ? text.length : end
}

/** What a trace field says about one reception, RFC 5321 §4.4. */
export interface Received {
  /** The EHLO or HELO argument as the client gave it, and what the connection showed. */
  readonly from: {
    readonly name: string
    readonly address: string
    readonly reverseName?: string | null
  } | null
  /** Our own host name. */
  readonly by: string
  /** RFC 3848 and RFC 6531 §4.3: SMTP, ESMTP, ESMTPS, ESMTPSA, UTF8SMTPS, LMTP, HTTP ... Null: by no protocol. */
  readonly with: string | null
  readonly id: string
  /** Only when there is one recipient: RFC 5321 §7.2. Null leaves it out. */
  readonly for?: string | null
  /** RFC 6710 §4.1; null leaves it out. */
  readonly priority?: number | null
  /** A remark such as the TLS version, written as a comment after `with`. */
  readonly comment?: string | null
  readonly epochMs: number
  readonly offsetMinutes?: number
}

const plain = /^[\w!#$%&'*+/=?^`{|}~.:@[\]-]+$/

/** Only what a domain, literal, atom or addr-spec is made of passes; clients put anything into EHLO. */
function safe(text: string): string {
  if (plain.test(text)) return text
  return text.replace(/[^\w!#$%&'*+/=?^`{|}~.:@[\]\x80-\u{10ffff}-]+/gu, '') || 'unknown'
}

/** address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]" ; RFC 5321 §4.1.3 */
function addressLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${safe(address)}]` : `[${safe(address)}]`
}

/** Time-stamp-line = "Received:" FWS Stamp CRLF ; RFC 5321 §4.4 */
export function formatReceived(received: Received): string {
  let stamp = ''
  if (received.from !== null) {
    const { name, address, reverseName } = received.from
    const literal = addressLiteral(address)
    stamp = `from ${safe(name)} (${reverseName ? `${safe(reverseName)} ${literal}` : literal}) `
  }
  stamp += `by ${safe(received.by)}`
  if (received.with !== null) stamp += ` with ${safe(received.with)}`
  if (received.comment) stamp += ` (${received.comment.replace(/[();\\]|[^ -~]/g, '')})`
  stamp += ` id ${safe(received.id)}`
  if (received.for) stamp += ` for <${safe(received.for)}>`
  if (received.priority != null) stamp += ` PRIORITY ${received.priority}`
  return fold('Received', `${stamp}; ${formatDate(received.epochMs, received.offsetMinutes)}`)
}

/**
 * Return-path-line = "Return-Path:" FWS Reverse-path CRLF ; RFC 5321 §4.4
 *
 * @param reversePath The address as in MAIL, its local part quoted where it must be; null for `<>`.
 */
export function formatReturnPath(reversePath: string | null): string {
  const path = reversePath ?? ''
  const safePath = /[\x00-\x1f\x7f<>]/.test(path) ? path.replace(/[\x00-\x1f\x7f<>]/g, '') : path
  return `Return-Path: <${safePath}>\r\n`
}

/**
 * The text that stands before a message as received.
 *
 * @param fields Whole fields, folded, each ending with CRLF, uppermost first.
 * @param hasHeader Of the message's scan. Without a header of its own, the lecture's letter for one, the prefix is the
 *   header and an empty line must end it.
 * @returns One char per octet.
 */
export function buildPrefix(fields: readonly string[], hasHeader: boolean): string {
  const text = fields.join('') + (hasHeader ? '' : '\r\n')
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}
