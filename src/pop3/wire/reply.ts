/** Response codes, RFC 2449 §8 and RFC 3206: what an agent may do about a failure without reading the words. */
export type ResponseCode = 'IN-USE' | 'AUTH' | 'SYS/TEMP' | 'SYS/PERM'

/** A POP3 reply, RFC 1939 §3. */
export interface Reply {
  /** `+` alone is a SASL challenge, RFC 5034 §4. */
  readonly status: '+OK' | '-ERR' | '+'
  /** Null: none. */
  readonly code: ResponseCode | null
  /** 7-bit, without CR or LF; does not begin with `[`, RFC 2449 §6.4. For a challenge, base64. */
  readonly text: string
  /** What a multi-line reply goes on with; the final dot is the serializer's. */
  readonly rest?: MultiLine
}

export type MultiLine =
  /** Lines without CRLF, not yet dot-stuffed. */
  | { readonly kind: 'lines'; readonly lines: Iterable<string> }
  /** A message, or the top of one, in pieces of any size, not yet dot-stuffed. */
  | { readonly kind: 'octets'; readonly pieces: AsyncIterable<Uint8Array> }

/** Ends the current command with a reply of our choosing; the session goes on. */
export class Refusal extends Error {
  readonly reply: Reply
  /** The client does not speak POP3 as it should; too many of these end the connection. */
  readonly misuse: boolean

  constructor(reply: Reply, misuse: boolean, options?: ErrorOptions) {
    super(`${reply.status} ${reply.text}`, options)
    this.name = 'Refusal'
    this.reply = reply
    this.misuse = misuse
  }
}

export function ok(text = '', rest?: MultiLine): Reply {
  return { status: '+OK', code: null, text, ...(rest === undefined ? {} : { rest }) }
}

/** An answer that is no, to a command that was in order. */
export function refuse(text: string, code: ResponseCode | null = null, options?: ErrorOptions): Refusal {
  return new Refusal({ status: '-ERR', code, text }, false, options)
}

/** A command that cannot be read, is not known, or does not belong here. */
export function misuse(text: string): Refusal {
  return new Refusal({ status: '-ERR', code: null, text }, true)
}

/**
 * response = status [SP text] CRLF, at most 512 octets
 *
 * RFC 2449 §3. The first line only.
 *
 * @returns Without CRLF.
 */
export function formatFirstLine(reply: Reply): string {
  // RFC 5034 §4: a challenge of no octets still has its space.
  if (reply.status === '+') return `+ ${reply.text}`
  const code = reply.code === null ? '' : ` [${reply.code}]`
  return reply.text === '' ? `${reply.status}${code}` : `${reply.status}${code} ${reply.text}`
}
