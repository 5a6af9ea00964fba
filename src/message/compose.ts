import MailComposer from 'nodemailer/lib/mail-composer'
import { type Address, formatAddressList } from './address.ts'
import { formatDate } from './date.ts'
import { decodeEncodedWords, encodeWords } from './encoded-word.ts'
import { type Envelope, messageIds } from './envelope.ts'
import { formatField } from './fields.ts'
import { latin1, parseHeader } from './header.ts'

export interface DraftAttachment {
  readonly name: string
  /** `image/png`; what is no media type is sent as application/octet-stream. */
  readonly type: string
  readonly content: Uint8Array
}

/** A letter before it is a message. Names and subject are plain text, not encoded. */
export interface Letter {
  readonly from: Address
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  /** Written into the message: whoever sends it on takes the field out of their copies. */
  readonly bcc: readonly Address[]
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly attachments: readonly DraftAttachment[]
  /** Identifiers with their angle brackets. */
  readonly inReplyTo: string | null
  readonly references: readonly string[]
}

/** A letter with what only the caller can know: nothing in this room looks at a clock or throws dice. */
export interface Draft extends Letter {
  readonly epochMs: number
  readonly offsetMinutes?: number
  /** With its angle brackets. */
  readonly messageId: string
  /** Makes the boundaries; random, so that no content holds one. */
  readonly boundarySeed: string
}

/** RFC 2045 §5.1: nothing but a type and a subtype; parameters would need quoting that we did not do. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/

function headerFields(draft: Draft): string {
  const fields: string[] = [
    // RFC 5322 §3.6: no order is required; this is the one people expect.
    formatField('Date', formatDate(draft.epochMs, draft.offsetMinutes)),
    formatField('From', formatAddressList([draft.from])),
  ]
  for (const [name, list] of [
    ['To', draft.to],
    ['Cc', draft.cc],
    ['Bcc', draft.bcc],
  ] as const) {
    if (list.length > 0) fields.push(formatField(name, formatAddressList(list)))
  }
  fields.push(formatField('Subject', encodeWords(draft.subject.replace(/[\x00-\x1f\x7f]+/g, ' '))))
  fields.push(formatField('Message-ID', messageIds(draft.messageId)[0] ?? ''))
  const inReplyTo = messageIds(draft.inReplyTo ?? '')
  if (inReplyTo.length > 0) fields.push(formatField('In-Reply-To', inReplyTo.join(' ')))
  const references = messageIds(draft.references.join(' '))
  if (references.length > 0) fields.push(formatField('References', references.join(' ')))
  return fields.join('')
}

/** The body and the fields that describe it, MIME-Version and Content-*; others nodemailer makes are left out. */
async function content(draft: Draft): Promise<{ fields: string; body: Uint8Array }> {
  const composer = new MailComposer({
    text: draft.text,
    html: draft.html,
    attachments: draft.attachments.map((attachment) => ({
      filename: attachment.name.replace(/[\x00-\x1f\x7f]+/g, ' ') || false,
      contentType: MEDIA_TYPE.test(attachment.type) ? attachment.type : 'application/octet-stream',
      content: Buffer.from(attachment.content),
      contentDisposition: 'attachment',
    })),
    baseBoundary: draft.boundarySeed.replace(/[^A-Za-z0-9]/g, '').slice(0, 32) || '0',
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const octets = await composer.compile().build()
  const headerEnd = octets.indexOf('\r\n\r\n')
  const header = latin1(octets.subarray(0, headerEnd + 2))
  const kept = parseHeader(header).fields.filter(({ name }) => /^(?:mime-version$|content-)/i.test(name))
  const fields = kept.map(({ offset, octets }) => header.slice(offset, offset + octets)).join('')
  return { fields, body: octets.subarray(headerEnd + 4) }
}

/**
 * Makes a message from a draft: CRLF line ends, 7-bit apart from addresses that are not ASCII (RFC 6532).
 *
 * No text of the draft can begin a header field: controls become blanks, identifiers are picked out of what is given.
 */
export async function composeMessage(draft: Draft): Promise<Uint8Array> {
  const { fields, body } = await content(draft)
  return Buffer.concat([Buffer.from(`${headerFields(draft)}${fields}\r\n`, 'utf8'), body])
}

/** What of the original a reply needs. */
export interface Original {
  readonly envelope: Envelope
  /** Its plain text, quoted below the reply's. */
  readonly text: string
}

function decodedName({ name, mailbox, host }: Address): Address {
  return { name: name === null ? null : decodeEncodedWords(name), mailbox, host }
}

/** Mailboxes of a list without its group marks, each once, none of `except`. */
function others(list: readonly Address[], except: Set<string>): Address[] {
  return list.filter(({ mailbox, host }) => {
    const key = `${mailbox}@${host}`.toLowerCase()
    if (mailbox === null || mailbox === '' || !host || except.has(key)) return false
    except.add(key)
    return true
  })
}

function quote(text: string): string {
  const lines = text.trimEnd().split(/\r?\n/)
  // RFC 3676 §4.5: a quoted line gets one more mark, without a blank before others.
  return lines.map((line) => (line.startsWith('>') ? '>' + line : line === '' ? '>' : '> ' + line)).join('\n')
}

/** RFC 5322 §3.6.4: the parent's References and Message-ID; without References a single In-Reply-To serves. */
function referencesOf({ references, inReplyTo, messageId }: Envelope): string[] {
  const parents = messageIds(inReplyTo ?? '')
  const before = references.length > 0 ? references : parents.length === 1 ? parents : []
  return [...new Set([...before, ...messageIds(messageId ?? '').slice(0, 1)])]
}

/**
 * Begins a reply, RFC 5322 §3.6.2 to §3.6.5: to Reply-To or else From, subject with `Re: `, and the original quoted.
 *
 * @param self Who replies; never among the recipients of a reply to all, unless nobody else is there.
 * @param toAll Also to everybody in To and Cc.
 */
export function replyDraft(original: Original, text: string, self: Address, toAll = false): Letter {
  const { envelope } = original
  const mine = new Set([`${self.mailbox}@${self.host}`.toLowerCase()])
  const sender = others(envelope.replyTo, new Set())
  // A reply to a letter of one's own goes where that went.
  const own = sender.length > 0 && others(sender, new Set(mine)).length === 0
  const first = own && envelope.to.length > 0 ? envelope.to : sender
  const to = others(first, toAll ? mine : new Set())
  const cc = toAll ? others([...envelope.to, ...envelope.cc], mine) : []
  const subject = decodeEncodedWords(envelope.subject ?? '').trim()
  const writer = envelope.from[0] === undefined ? null : decodedName(envelope.from[0])
  const name = writer === null ? 'somebody' : writer.name || `${writer.mailbox}@${writer.host}`
  const attribution = envelope.date ? `On ${envelope.date}, ${name} wrote:` : `${name} wrote:`
  const quoted = original.text.trim() === '' ? '' : `\n\n${attribution}\n${quote(original.text)}\n`
  return {
    from: self,
    to: (to.length > 0 ? to : sender).map(decodedName),
    cc: cc.map(decodedName),
    bcc: [],
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`.trim(),
    text: text.trimEnd() + quoted,
    attachments: [],
    inReplyTo: messageIds(envelope.messageId ?? '')[0] ?? null,
    references: referencesOf(envelope),
  }
}
