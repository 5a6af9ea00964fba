/**
 * What may have a say while a message comes in: our own guards, the judges of senders, and other people's programs
 * (milters, HTTP hooks, virus scanners). The door asks each in turn, in the order of `SmtpDoorOptions.filters`; the first
 * refusal counts and later ones are not asked.
 *
 * A filter that fails is not a refusal: it catches its own trouble and answers as it was configured to (go on, or 451).
 * What takes time may take it: the session waits, others do not. All answers at the end of a message share
 * `limits.checkTimeoutMs`; past it the client hears 451.
 */
import type { TlsFacts } from '../../base/peer.ts'
import type { EventData, Kind } from '../../journey/event.ts'
import type { HeaderField } from '../../message/header.ts'
import type { Refusal } from '../wire/reply.ts'

export type FilterRole = 'mx' | 'submission' | 'lmtp'

export interface SmtpFilter {
  /** In the log and in journeys. */
  readonly name: string
  /** One connection begins. Null: nothing to say about this one; it then costs nothing. */
  open(client: FilterClient): FilterSession | null
}

/** What is known of the connection; the getters tell what holds at the time they are read. */
export interface FilterClient {
  readonly role: FilterRole
  /** Our own host name. */
  readonly hostname: string
  /** As given by PROXY or XCLIENT when those came from a listed address. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Listed in `guards.trusted`: never slowed down, never refused for where it comes from. */
  readonly trusted: boolean
  /** `HELO` or `EHLO` name; '' before. */
  readonly clientName: string
  readonly extended: boolean
  readonly tls: TlsFacts | null
  /** The log-in; null for strangers. */
  readonly account: { readonly accountId: number; readonly address: string } | null
  /** Octets that came and have not been looked at: before the greeting, somebody who talks early. */
  readonly waitingOctets: number
  /** An event of stage `judged` for the journey of the current message, or of the connection when there is none. */
  record(kind: Kind, data: EventData): void
}

/** Null: go on. A `Refusal` of 421, or any at `connect`, also ends the connection. */
export type FilterAnswer = Refusal | null

/** Each is called in the order of the session and never while another one of the same session waits. */
export interface FilterSession {
  /** Before the greeting. */
  connect?(): Promise<FilterAnswer> | FilterAnswer
  /** After EHLO or HELO was read and before it is answered; again after STARTTLS. */
  hello?(): Promise<FilterAnswer> | FilterAnswer
  /** @param path `local-part@domain`, or '' for the null reverse-path. @param parameters As written, `SIZE=10`. */
  mail?(path: string, parameters: readonly string[]): Promise<FilterAnswer> | FilterAnswer
  /**
   * After the address was found good, before it is added.
   *
   * @param known False: the door is about to refuse it with 550 (no such user); the answer here may only slow it down.
   */
  rcpt?(path: string, parameters: readonly string[], known: boolean): Promise<FilterAnswer> | FilterAnswer
  /** Before 354, or at the first BDAT. */
  data?(): Promise<FilterAnswer> | FilterAnswer
  /** The message as received, dots removed, header first; any cut. Kept by nobody: the buffer is reused. */
  octets?(chunk: Uint8Array): Promise<void> | undefined
  /** After the last octet and our own checks of form, before anything is stored. */
  end?(message: FilteredMessage): Promise<FilterEnding> | FilterEnding
  /** The transaction is over (stored, refused, RSET): what was kept of it is forgotten. */
  reset?(): void
  /** The connection is gone. */
  close?(): void
}

export interface FilteredMessage {
  readonly journeyId: string
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly octets: number
  /** Of the message's own header as received, in order. */
  readonly headerFields: readonly HeaderField[]
  /** As filters before this one have changed it; absent: it is as received. */
  readonly changed?: Uint8Array
}

export interface FilterEnding {
  readonly refusal?: Refusal
  /** 250 is said and nothing is kept. */
  readonly discard?: boolean
  /** Filed into Junk instead of INBOX; the text says why. */
  readonly junk?: string
  /** SPF passed for the reverse-path: its domain sent this message. */
  readonly senderProven?: boolean
  /** Fields to stand above the message, each with its CRLF: Authentication-Results, X-Spam-Status … */
  readonly fields?: readonly string[]
  /** The whole message anew instead of the one received, for milters that change headers or bodies. */
  readonly message?: Uint8Array
  readonly reversePath?: string
  readonly addRecipients?: readonly string[]
  readonly removeRecipients?: readonly string[]
}

/** The ending of a filter that has nothing to say. */
export const nothingToSay: FilterEnding = {}
