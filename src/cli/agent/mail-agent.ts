/**
 * What the command line's user agent asks of a mail account, whatever protocol answers. Today submission and IMAP fill
 * it, so it works against any server; JMAP will.
 */
import type { Draft } from '../../message/compose.ts'
import { CliError, exitCodes } from '../cli-error.ts'

export interface Sent {
  /** With its angle brackets. */
  readonly messageId: string
  /** The server's last reply, code included. */
  readonly reply: string
  /** Recipients that were refused, with the server's words. */
  readonly refused: readonly { readonly address: string; readonly reply: string }[]
}

export interface ListedMessage {
  readonly mailbox: string
  readonly uidValidity: string
  readonly uid: number
  /** Milliseconds since 1970. */
  readonly date: number
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly octets: number
  readonly seen: boolean
  readonly flagged: boolean
  readonly answered: boolean
}

/** One message, by the numbers that never change. */
export interface MessageKey {
  readonly mailbox: string
  readonly uidValidity: string
  readonly uid: number
}

export interface MailAgent {
  /** @throws {AgentError} */
  send(draft: Draft): Promise<Sent>
  /** Puts a copy with its Bcc into the mailbox for what was sent. @returns Its name; null when there is none. */
  keepSent(draft: Draft): Promise<string | null>
  /** Names, as the server orders them. @throws {AgentError} */
  mailboxes(): Promise<string[]>
  /** Newest first. @throws {AgentError} `not-found` when there is no such mailbox. */
  list(mailbox: string, limit: number): Promise<ListedMessage[]>
  /** All octets of a message. @throws {AgentError} `not-found`. */
  read(key: MessageKey, options: { readonly markSeen: boolean }): Promise<Uint8Array>
  setFlag(key: MessageKey, flag: '\\Seen' | '\\Answered' | '\\Flagged'): Promise<void>
  /** Into Trash; from Trash, or where there is none, for good. @returns Where it went; null: for good. */
  remove(key: MessageKey): Promise<string | null>
  close(): Promise<void>
}

const exitCodeOf = {
  refused: exitCodes.refused,
  usage: exitCodes.usage,
  'not-found': exitCodes.notFound,
  auth: exitCodes.auth,
  'try-later': exitCodes.tryLater,
} as const

/** What went wrong with a mail account, in a form that decides the exit code. The text says what to do. */
export class AgentError extends CliError {
  constructor(reason: keyof typeof exitCodeOf, message: string, options: ErrorOptions = {}) {
    super(exitCodeOf[reason], message, '', { ...options, code: reason })
    this.name = 'AgentError'
  }
}
