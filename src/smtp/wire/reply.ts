/** An SMTP reply, RFC 5321 §4.2. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number
  /** RFC 3463, `class.subject.detail`; null where none belongs (greeting, EHLO, 354). */
  readonly status: string | null
  /** At least one; texts without CR, LF or the code. */
  readonly lines: readonly string[]
}

/** Ends the current command with a reply of our choosing; the session goes on. */
export class Refusal extends Error {
  readonly reply: Reply

  constructor(reply: Reply, options?: ErrorOptions) {
    super(`${reply.code} ${reply.lines.join(' ')}`, options)
    this.name = 'Refusal'
    this.reply = reply
  }
}

export function refuse(code: number, status: string, text: string, options?: ErrorOptions): Refusal {
  return new Refusal({ code, status, lines: [text] }, options)
}

/**
 * Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *
 * @param enhanced Whether status codes stand before the text of every line, RFC 2034 §4.
 */
export function formatReply({ code, status, lines }: Reply, enhanced: boolean): string {
  const shown = enhanced && status !== null ? `${status} ` : ''
  const last = lines.length - 1
  let text = ''
  for (let at = 0; at < last; at++) text += `${code}-${shown}${printable(lines[at]!)}\r\n`
  return `${text}${code} ${shown}${printable(lines[last]!)}\r\n`
}

function printable(text: string): string {
  // Nearly all texts are our own.
  return /[^\x20-\x7e\x80-\xff]/.test(text) ? text.replace(/[^\x20-\x7e\x80-\xff]/g, '?') : text
}
