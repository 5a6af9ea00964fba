/**
 * Reads what an SMTP server says, within bounds, however it is cut into chunks. RFC 5321 §4.2.
 *
 * The server is a stranger: every sequence of octets gives replies or a `ReplyError`, after which the connection is of
 * no further use.
 */
import { LineReader } from '../../base/line-reader.ts'
import type { Reply } from './reply.ts'

/** RFC 5321 §4.5.3.1.5 bounds a reply line to 512 octets; others write longer ones. Without CRLF. */
export const replyLineOctetsMax = 2_046
export const replyLinesMax = 100
export const replyOctetsMax = 65_536

/** The server does not speak SMTP, or without end. */
export class ReplyError extends Error {
  constructor(text: string) {
    super(text)
    this.name = 'ReplyError'
  }
}

export interface ReceivedReply extends Reply {
  /** The lines as they came, one char per octet, without CRLF; what is not printable has become `?`. */
  readonly rawLines: readonly string[]
}

export class ReplyReader {
  readonly #lines = new LineReader()
  #unread = 0
  #code: number | null = null
  #texts: string[] = []
  #raw: string[] = []
  #octets = 0

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
    this.#unread += chunk.length
  }

  /**
   * The next whole reply, null while it has not come yet. Call it until null after each `push`.
   *
   * @throws {ReplyError}
   */
  next(): ReceivedReply | null {
    for (;;) {
      const found = this.#lines.next(replyLineOctetsMax)
      if (found.kind === 'more') {
        // LineReader forgets an overlong line as it comes, so an endless one is noticed by what has gone in.
        if (this.#unread > replyOctetsMax) throw new ReplyError('Cannot read the reply: too long')
        return null
      }
      if (found.kind === 'bare-lf')
        throw new ReplyError('Cannot read the reply: a line does not end with CRLF')
      if (found.kind === 'too-long') throw new ReplyError('Cannot read the reply: a line is too long')
      this.#unread = this.#lines.bufferedOctets
      const reply = this.#addLine(found.line)
      if (reply !== null) return reply
    }
  }

  /**
   * Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
   * Reply-code = %x32-35 %x30-35 %x30-39
   *
   * The second digit may be any: the first one is what is acted upon (RFC 5321 §4.2.1).
   */
  #addLine(line: string): ReceivedReply | null {
    const [, digits, mark, text = ''] = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s.exec(line) ?? []
    if (digits === undefined) throw new ReplyError('Cannot read the reply: no reply code')
    const code = Number(digits)
    // RFC 5321 §4.2.1: the code on each line is the same.
    if (this.#code !== null && this.#code !== code)
      throw new ReplyError('Cannot read the reply: two codes in one')
    this.#code = code
    this.#texts.push(printable(text))
    this.#raw.push(printable(line))
    this.#octets += line.length + 2
    if (this.#texts.length > replyLinesMax) throw new ReplyError('Cannot read the reply: too many lines')
    if (this.#octets > replyOctetsMax) throw new ReplyError('Cannot read the reply: too long')
    if (mark === '-') return null
    const reply = makeReply(code, this.#texts, this.#raw)
    this.#code = null
    this.#texts = []
    this.#raw = []
    this.#octets = 0
    return reply
  }
}

/** RFC 2034 §4: the status stands before the text of every line; one that belongs to another class is only text. */
function makeReply(code: number, texts: readonly string[], rawLines: readonly string[]): ReceivedReply {
  const status = statusOf(code, texts[0] ?? '')
  if (status === null) return { code, status, lines: texts, rawLines }
  const lines = texts.map((text) => (statusOf(code, text) === status ? text.slice(status.length + 1) : text))
  return { code, status, lines, rawLines }
}

/** status-code = class "." subject "." detail, RFC 3463 §2. */
function statusOf(code: number, text: string): string | null {
  const status = /^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?= |$)/.exec(text)?.[1]
  return status !== undefined && Number(status.charAt(0)) === Math.floor(code / 100) ? status : null
}

/** Octets over 127 are let through (RFC 6531 §3.5 allows UTF-8); a bare CR, NUL or ESC is not for logs and terminals. */
function printable(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?')
}
