/** What the commands and the server say to each other about messages, over the admin API. Octets travel as text, one char each. */

/** Octets of messages in one request or answer: what a thread that serves sockets reads in about a millisecond. */
export const requestOctets = 524_288
/** Messages in one request or answer. */
export const requestMessages = 100

export interface OpenedImport {
  readonly importId: string
  /** Changes when the account is made anew, or the store is. */
  readonly accountKey: string
  readonly messageOctets: number
  readonly mailboxes: readonly string[]
}

export interface TargetMailbox {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uidNext: number
  readonly created: boolean
}

export interface BatchHead {
  /** Batches of one import are filed in this order, from 1, however they travel. */
  readonly sequence: number
  readonly mailboxId: number
  /** Empty octets of a message mean: those that came in pieces before. */
  readonly staged: boolean
  readonly messages: readonly BatchMessage[]
}

export interface BatchMessage {
  readonly octets: number
  readonly flags: number
  readonly keywords: readonly string[]
  readonly internalDate: number
  /** For its journey: file, and offset in it. */
  readonly place: string
}

/** What became of one message, in the order of the batch. */
export type FiledMessage =
  | { readonly uid: number; readonly mailboxId: number; readonly uidValidity: number }
  | { readonly refused: string }

export interface SoughtMessage {
  readonly hash: string
  readonly octets: number
  readonly internalDate: number
}

export interface ExportedMailbox {
  readonly mailboxId: number
  readonly name: string
  readonly uidValidity: number
  readonly total: number
  readonly octets: number
}

export interface ExportedMessage {
  readonly uid: number
  readonly flags: number
  readonly keywords: readonly string[]
  readonly internalDate: number
  readonly octets: number
  /** The last octet is LF. */
  readonly terminated: boolean
  /** Null when it is too long for this answer, or cannot be read. */
  readonly text: string | null
  readonly unreadable: boolean
}

export interface ExportedPage {
  readonly uidValidity: number
  readonly messages: readonly ExportedMessage[]
  /** The next page begins after this UID. */
  readonly upTo: number
  readonly more: boolean
}

/** @param octets Of all messages, one after the other. */
export function encodeBatch(head: BatchHead, octets: readonly Uint8Array[]): string {
  return `${JSON.stringify(head)}\n${Buffer.concat(octets).toString('latin1')}`
}

/** @returns Null when it is no batch. */
export function decodeBatch(text: string): { readonly head: BatchHead; readonly octets: Buffer } | null {
  const end = text.indexOf('\n')
  if (end < 0) return null
  let head: BatchHead
  try {
    head = JSON.parse(text.slice(0, end))
  } catch {
    return null
  }
  return isBatchHead(head) ? { head, octets: Buffer.from(text.slice(end + 1), 'latin1') } : null
}

function isBatchHead(value: unknown): value is BatchHead {
  const head = value as Partial<BatchHead> | null
  return (
    typeof head?.mailboxId === 'number' &&
    typeof head.sequence === 'number' &&
    typeof head.staged === 'boolean' &&
    Array.isArray(head.messages) &&
    head.messages.length > 0 &&
    head.messages.length <= requestMessages &&
    head.messages.every(isBatchMessage)
  )
}

function isBatchMessage(value: unknown): value is BatchMessage {
  const message = value as Partial<BatchMessage> | null
  const isCount = (number: unknown): boolean => Number.isSafeInteger(number) && (number as number) >= 0
  return (
    isCount(message?.octets) &&
    isCount(message?.flags) &&
    Array.isArray(message?.keywords) &&
    message.keywords.every((keyword) => typeof keyword === 'string') &&
    Number.isSafeInteger(message.internalDate) &&
    typeof message.place === 'string'
  )
}

/** The first half of a SHA-256 says enough about two messages of one batch. */
export function shortHash(digest: Uint8Array): string {
  return Buffer.from(digest.subarray(0, 16)).toString('base64url')
}
