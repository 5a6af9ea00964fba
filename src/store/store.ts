/**
 * The store: accounts, mailboxes, messages, bodies, the outgoing queue and the history of changes.
 *
 * What holds for every engine: all calls are asynchronous and batched; a promise that has been fulfilled means the
 * change is on disk (bodies before the rows that name them, rows before the answer); nobody but this room gives out UIDs
 * and MODSEQs; every per-account key begins with the account. A call that fails has changed nothing.
 */
import type { MessageScan } from '../message/scan.ts'
import type { AccountStore } from './accounts.ts'
import type { BackupDomainStore } from './backup-domains.ts'
import type { BodyRef, BodySink, StagedBody } from './body.ts'
import type { ChangeListener, MailboxChanges } from './changes.ts'
import type { DomainKeyStore } from './domain-keys.ts'
import type { HousekeepingStore } from './housekeeping.ts'
import type { MailboxIndex } from './mailbox-index.ts'
import type { QueueStore, NewQueueEntry, Settlement } from './queue.ts'
import type { TextSearch } from './search.ts'

export interface Mailbox {
  readonly accountId: number
  /** Row id, one per account counter; survives RENAME; never used again. */
  readonly mailboxId: number
  /** UTF-8, hierarchy separator `/`; `INBOX` in capitals. The wire's modified UTF-7 is IMAP's business. */
  readonly name: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModseq: number
  readonly total: number
  readonly unseen: number
  /** Octets of all messages, prefixes counted. */
  readonly octets: number
  readonly specialUse: SpecialUse | null
  readonly subscribed: boolean
}

/** RFC 6154 §2. */
export type SpecialUse = '\\Archive' | '\\Drafts' | '\\Junk' | '\\Sent' | '\\Trash' | '\\All' | '\\Flagged'

/** The system flags of RFC 3501 §2.3.2 as bits of one number. \Recent is IMAP's own affair. */
export const flagBits = {
  '\\Seen': 1,
  '\\Answered': 2,
  '\\Flagged': 4,
  '\\Deleted': 8,
  '\\Draft': 16,
} as const

/** One message to be put into one mailbox of one account. */
export interface Filing {
  readonly accountId: number
  /** Null: INBOX. A mailbox that has gone by the time of the commit means INBOX too. */
  readonly mailboxId: number | null
  /** Without a `mailboxId`: the account's mailbox of that use; INBOX when it has none. */
  readonly specialUse?: SpecialUse
  /** Trace fields above the body, one char per octet, at most 16,384; ends with CRLF, or is ''. */
  readonly prefix: string
  /** Sum of `flagBits`. */
  readonly flags: number
  /** Keywords as written by the client, without a backslash. */
  readonly keywords: readonly string[]
  /** Milliseconds since 1970. */
  readonly internalDate: number
  readonly journeyId: string | null
}

/** Everything that is decided about one accepted message; applied in one transaction. */
export interface AcceptItem {
  readonly body: StagedBody
  /** What the one scan over the body found. */
  readonly scan: MessageScan
  readonly filings: readonly Filing[]
  readonly queue: readonly NewQueueEntry[]
  /** Queue rows that this same transaction finishes: delivery at home and failure reports. */
  readonly settle?: readonly Settlement[]
  /** Refuses it when an account is full, as for what a user puts there; what arrives was decided about at RCPT. */
  readonly withinQuota?: boolean
}

export interface Filed {
  readonly accountId: number
  readonly mailboxId: number
  readonly uid: number
  readonly uidValidity: number
  readonly modseq: number
  readonly emailId: number
}

export interface Accepted {
  /** In the order of `filings`. */
  readonly filed: readonly Filed[]
  /** In the order of `queue`. */
  readonly queueIds: readonly number[]
}

/** An email as it is kept once per account, however many mailboxes it is in. */
export interface Email {
  readonly emailId: number
  readonly threadId: number
  readonly journeyId: string | null
  readonly prefix: string
  readonly body: BodyRef
  /** RFC822.SIZE: prefix and body. */
  readonly octets: number
  /** IMAP's ENVELOPE, ready to send: 7-bit text. */
  readonly envelope: string
  /** IMAP's BODYSTRUCTURE, ready to send: 7-bit text. */
  readonly bodyStructure: string
  /** `encodeStructure` of message/stored-structure.ts; offsets count from the body's start. */
  readonly structure: string
}

/** What to change in the flags of messages. */
export interface FlagChange {
  readonly op: 'set' | 'add' | 'remove'
  readonly flags: number
  readonly keywords: readonly string[]
  /** RFC 7162 §3.1.3: leave alone what changed after this MODSEQ. */
  readonly unchangedSince?: number
}

export interface FlagsStored {
  readonly modseq: number
  /** UIDs that were left alone because of `unchangedSince`. */
  readonly modified: readonly number[]
}

export interface Copied {
  readonly uidValidity: number
  readonly sourceUids: readonly number[]
  readonly targetUids: readonly number[]
}

export interface Store extends AccountStore, DomainKeyStore, QueueStore, HousekeepingStore, TextSearch {
  readonly backupDomains: BackupDomainStore
  listMailboxes(accountId: number): Promise<Mailbox[]>
  /** Null when there is none of that name. */
  findMailbox(accountId: number, name: string): Promise<Mailbox | null>
  /** Makes missing parents too. @throws {MailboxExists} @throws {LimitReached} */
  createMailbox(accountId: number, name: string, specialUse?: SpecialUse | null): Promise<Mailbox>
  /** Children move along. INBOX: its messages move to the new mailbox, RFC 3501 §6.3.5. @throws {MailboxGone} @throws {MailboxExists} */
  renameMailbox(accountId: number, mailboxId: number, name: string): Promise<void>
  /** @throws {MailboxGone} */
  deleteMailbox(accountId: number, mailboxId: number): Promise<void>
  /** Subscriptions are of names, which need not exist: RFC 3501 §6.3.6. */
  setSubscribed(accountId: number, name: string, subscribed: boolean): Promise<void>
  listSubscriptions(accountId: number): Promise<string[]>

  /** A place for a body that is still arriving. The caller must finish or abort it. */
  openBody(): BodySink
  /**
   * Takes responsibility for messages. Each item succeeds or fails by itself; those that succeed are durable when the
   * promise is fulfilled. Keywords for which a mailbox has no room are left out.
   *
   * Errors among the results: AccountUnknown (of one filing; then nothing of its item is done), LimitReached (a prefix is
   * too long), OverQuota (only with `withinQuota`), StoreUnavailable.
   */
  accept(items: readonly AcceptItem[]): Promise<(Accepted | Error)[]>

  /**
   * The messages of one mailbox as typed arrays, shared by all its sessions and kept up to date.
   * Call `release` on it when the session leaves the mailbox.
   *
   * @throws {MailboxGone}
   */
  loadIndex(accountId: number, mailboxId: number): Promise<MailboxIndex>
  /**
   * Email rows in the order asked for; null for one that is gone. At most 500 a call; fewer are given, one at least, when
   * they are so long that together they pass `emailCharsAtOnce`: ask again for the rest. One that was expunged can be
   * read for some minutes more, with its body: by sessions that have not been told yet, RFC 2180 §4.1.
   */
  getEmails(accountId: number, emailIds: readonly number[]): Promise<(Email | null)[]>
  /** Octets of a body; short only at its end. @throws {BodyUnreadable} */
  readBody(body: BodyRef, offset: number, octets: number): Promise<Uint8Array>

  /**
   * UIDs that are not there are passed over. What has the flags already keeps its MODSEQ.
   *
   * @throws {MailboxGone} @throws {LimitReached} A 33rd keyword.
   */
  storeFlags(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    change: FlagChange,
  ): Promise<FlagsStored>
  /** @throws {MailboxGone} @throws {OverQuota} */
  copy(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    targetMailboxId: number,
  ): Promise<Copied>
  move(
    accountId: number,
    mailboxId: number,
    uids: readonly number[],
    targetMailboxId: number,
  ): Promise<Copied>
  /**
   * Removes messages, whatever their flags; `undelete` can put them back for a time. UIDs that are not there are passed over.
   *
   * @returns Those removed.
   */
  expunge(accountId: number, mailboxId: number, uids: readonly number[]): Promise<number[]>
  /**
   * What changed in a mailbox after a point in its history, oldest first.
   *
   * @param since MODSEQ, exclusive; 0 lists every message. RFC 7162 §3.1.4.1.
   * @param limit Rows at most, 1 to 10,000.
   */
  changesSince(accountId: number, mailboxId: number, since: number, limit: number): Promise<MailboxChanges>

  /** Hears of every change of one account after it is durable. @returns Ends it. */
  subscribe(accountId: number, listener: ChangeListener): () => void

  /** Waits for what is under way, then lets go of the data folder. */
  close(): Promise<void>
}
