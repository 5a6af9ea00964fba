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
export function formatReply(reply: Reply, enhanced: boolean): string {
  const status = enhanced && reply.status !== null ? `${reply.status} ` : ''
  let text = ''
  let left = reply.lines.length
  for (const line of reply.lines) {
    const printable = line.replace(/[^\x20-\x7e\x80-\xff]/g, '?')
    text += `${reply.code}${--left === 0 ? ' ' : '-'}${status}${printable}\r\n`
  }
  return text
}
