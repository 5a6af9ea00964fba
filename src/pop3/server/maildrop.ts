/**
 * One account's INBOX as a session sees it: the messages that were there at log-in, in the order of their UIDs, numbered
 * from 1 for as long as the session lasts. What arrives later is not in it. What another agent removes keeps its number
 * and its size here, and cannot be read any more.
 *
 * Marks for deletion live in this object only; nothing is removed before `remove`.
 */
import type { MailboxIndex } from '../../store/mailbox-index.ts'
import { refuse } from '../wire/reply.ts'
import { uniqueId } from '../wire/unique-id.ts'
import type { Pop3DoorOptions } from './options.ts'

export interface MaildropMessage {
  /** From 1. */
  readonly messageNumber: number
  readonly uid: number
  readonly uniqueId: string
  readonly emailId: number
  /** RFC822.SIZE: what RETR sends, without dot-stuffing. */
  readonly octets: number
}

export class Maildrop {
  readonly accountId: number
  readonly mailboxId: number
  readonly #index: MailboxIndex
  readonly #uidValidity: number
  readonly #uids: Uint32Array
  readonly #sizes: Uint32Array
  readonly #emailIds: Float64Array
  readonly #deleted = new Set<number>()
  readonly #totalOctets: number
  #deletedOctets = 0

  constructor(index: MailboxIndex) {
    this.accountId = index.accountId
    this.mailboxId = index.mailboxId
    this.#index = index
    this.#uidValidity = index.uidValidity
    this.#uids = index.uids.slice(0, index.length)
    this.#sizes = index.sizes.slice(0, index.length)
    this.#emailIds = index.emailIds.slice(0, index.length)
    this.#totalOctets = this.#sizes.reduce((sum, octets) => sum + octets, 0)
  }

  /** Messages that are not marked as deleted. */
  get count(): number {
    return this.#uids.length - this.#deleted.size
  }

  /** Their octets. */
  get octets(): number {
    return this.#totalOctets - this.#deletedOctets
  }

  /** @throws {Refusal} There is none of that number, or it is marked as deleted. */
  message(messageNumber: number): MaildropMessage {
    if (messageNumber < 1 || messageNumber > this.#uids.length) throw refuse('no such message')
    if (this.#deleted.has(messageNumber)) throw refuse(`message ${messageNumber} already deleted`)
    return this.#at(messageNumber)
  }

  /** Those not marked as deleted, ascending. */
  *messages(): Iterable<MaildropMessage> {
    for (let messageNumber = 1; messageNumber <= this.#uids.length; messageNumber++) {
      if (!this.#deleted.has(messageNumber)) yield this.#at(messageNumber)
    }
  }

  /** Those marked as deleted, in the order of DELE. */
  *deletedMessages(): Iterable<MaildropMessage> {
    for (const messageNumber of this.#deleted) yield this.#at(messageNumber)
  }

  /** Whether it is still in INBOX; another agent may have removed it. */
  isThere(message: MaildropMessage): boolean {
    return !this.#index.gone && this.#index.rowOf(message.uid) >= 0
  }

  markDeleted(message: MaildropMessage): void {
    this.#deleted.add(message.messageNumber)
    this.#deletedOctets += message.octets
  }

  unmarkAll(): void {
    this.#deleted.clear()
    this.#deletedOctets = 0
  }

  release(): void {
    this.#index.release()
  }

  #at(messageNumber: number): MaildropMessage {
    const row = messageNumber - 1
    const uid = this.#uids[row]!
    return {
      messageNumber,
      uid,
      uniqueId: uniqueId(this.#uidValidity, uid),
      emailId: this.#emailIds[row]!,
      octets: this.#sizes[row]!,
    }
  }
}

/** @throws {StoreError} */
export async function openMaildrop(store: Pop3DoorOptions['store'], accountId: number): Promise<Maildrop> {
  const inbox = await store.findMailbox(accountId, 'INBOX')
  if (inbox === null) throw new Error('Account has no INBOX')
  return new Maildrop(await store.loadIndex(accountId, inbox.mailboxId))
}
