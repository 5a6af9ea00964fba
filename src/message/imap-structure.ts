/**
 * The texts of IMAP's ENVELOPE, BODYSTRUCTURE and BODY, RFC 3501 §7.4.2.
 *
 * They are made once, stored, and sent as they stand: quoted strings, numbers, NIL and brackets in 7-bit US-ASCII,
 * never a literal, never CR, LF or NUL.
 */
import type { Address } from './address.ts'
import { decodeEncodedWords, encodeWords } from './encoded-word.ts'
import type { Envelope } from './envelope.ts'
import type { Disposition, Parameter } from './parameters.ts'
import { type Part, isMessage, isMultipart } from './part.ts'

/** What stands between quotes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/

/** quoted = DQUOTE *QUOTED-CHAR DQUOTE ; RFC 3501 §9. Only for text that is 7-bit without controls. */
function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** nstring; what a quoted string cannot hold becomes encoded words, RFC 2047. */
function nstring(text: string | null): string {
  if (text === null) return 'NIL'
  if (PLAIN.test(text)) return `"${text}"`
  // Many programs fold with a tab, which is white space like any other.
  const line = text.replaceAll('\t', ' ')
  // Encoded words beside 8-bit text are encoded anew with it: as they stand they would be encoded twice.
  return quote(/[^ -~]/.test(line) ? encodeWords(decodeEncodedWords(line)) : line)
}

/** address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")" */
function formatAddress({ name, route, mailbox, host }: Address): string {
  return `(${nstring(name)} ${nstring(route ?? null)} ${nstring(mailbox)} ${nstring(host)})`
}

/** "(" 1*address ")" / nil */
function addresses(list: readonly Address[]): string {
  if (list.length === 0) return 'NIL'
  let text = ''
  for (const address of list) text += formatAddress(address)
  return `(${text})`
}

/** envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP ... ")" */
export function imapEnvelope(envelope: Envelope): string {
  const from = addresses(envelope.from)
  const sender = envelope.sender === envelope.from ? from : addresses(envelope.sender)
  const replyTo = envelope.replyTo === envelope.from ? from : addresses(envelope.replyTo)
  const { date, subject, to, cc, bcc, inReplyTo, messageId } = envelope
  return (
    `(${nstring(date)} ${nstring(subject)} ${from} ${sender} ${replyTo} ${addresses(to)} ${addresses(cc)} ` +
    `${addresses(bcc)} ${nstring(inReplyTo)} ${nstring(messageId)})`
  )
}

/** Text that must not change its meaning by becoming encoded words: what is not ASCII is percent-encoded. */
function percentEncode(text: string): string {
  const octets = Buffer.from(text.toWellFormed(), 'utf8').toString('latin1')
  return octets.replace(/[^A-Za-z0-9!#$&+.^_`{|}~-]/g, (octet) => {
    return '%' + octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
  })
}

/** body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
function parameterList(parameters: readonly Parameter[]): string {
  const items: string[] = []
  for (const [name, value] of parameters) {
    // RFC 2231 §4: the asterisk tells that the value carries its charset.
    if (/[^ -~]/.test(value)) items.push(`${quote(ascii(name) + '*')} "utf-8''${percentEncode(value)}"`)
    else items.push(`${quote(ascii(name))} ${quote(value)}`)
  }
  return items.length === 0 ? 'NIL' : `(${items.join(' ')})`
}

/** Tokens come out of the parser as ASCII; this holds whoever made the part. */
function ascii(token: string): string {
  return /[^!-~]/.test(token) ? token.replace(/[^!-~]/g, '') : token
}

/** body-fld-dsp = "(" string SP body-fld-param ")" / nil */
function dispositionList(disposition: Disposition | null): string {
  return disposition === null
    ? 'NIL'
    : `(${quote(ascii(disposition.type))} ${parameterList(disposition.parameters)})`
}

/** body-fld-lang = nstring / "(" string *(SP string) ")" */
function languageList(language: readonly string[]): string {
  return language.length === 0 ? 'NIL' : `(${language.map((tag) => quote(ascii(tag))).join(' ')})`
}

/** [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]], common to both kinds of body. */
function commonExtension(part: Part): string {
  const location = part.location === null ? 'NIL' : quote(part.location.replace(/[^ -~]+/g, percentEncode))
  return `${dispositionList(part.disposition)} ${languageList(part.language)} ${location}`
}

/** body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart] */
function multipartBody(part: Part, extended: boolean): string {
  const children = part.parts.map((child) => body(child, extended)).join('')
  const extension = extended ? ` ${parameterList(part.parameters)} ${commonExtension(part)}` : ''
  return `(${children} ${quote(ascii(part.subtype))}${extension})`
}

/** body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part] */
function singleBody(part: Part, extended: boolean): string {
  const child = part.parts[0]
  const embedded = isMessage(part) && part.message !== undefined && child !== undefined
  // The grammar wants an envelope after MESSAGE RFC822. A message that is encoded (RFC 2046 §5.2.1 forbids it) has
  // not been looked into, so it is told as data.
  const opaque = isMessage(part) && !embedded
  const type = opaque
    ? '"application" "octet-stream"'
    : `${quote(ascii(part.type))} ${quote(ascii(part.subtype))}`
  const id = part.id === null ? 'NIL' : nstring(part.id)
  let text = `(${type} ${parameterList(part.parameters)} ${id} ${nstring(part.description)} `
  text += `${quote(ascii(part.encoding))} ${part.octets}`
  if (embedded) text += ` ${imapEnvelope(part.message!.envelope)} ${body(child, extended)} ${part.lines}`
  else if (part.type === 'text') text += ` ${part.lines}`
  if (extended) text += ` ${nstring(part.md5)} ${commonExtension(part)}`
  return text + ')'
}

function body(part: Part, extended: boolean): string {
  return isMultipart(part) && part.parts.length > 0
    ? multipartBody(part, extended)
    : singleBody(part, extended)
}

/** BODYSTRUCTURE: with the extension data. */
export function imapBodyStructure(part: Part): string {
  return body(part, true)
}

/** BODY: without extension data. */
export function imapBody(part: Part): string {
  return body(part, false)
}
