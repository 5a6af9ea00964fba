import type { BodyRef } from './body.ts'

/** One recipient of a queued message. */
export interface QueueRecipient {
  /** Where to: `local-part@domain`. */
  readonly forwardPath: string
  /** `reporting`: delivered, and its sender is still to be told so; the entry stays until that is done. */
  readonly state: 'waiting' | 'reporting' | 'delivered' | 'failed' | 'dropped'
  readonly attempts: number
  /** The last reply or our own reason, for the report and for `queue ls`. */
  readonly lastReply: string | null
  /** `ORCPT` and `NOTIFY` of RFC 3461, as received. */
  readonly orcpt: string | null
  readonly notify: string | null
}

/** What MAIL asked for besides sender and size; what has no meaning for a message stays as in `noWishes`. */
export interface DeliveryWishes {
  /** Only over TLS that was verified, to servers that promise the same: RFC 8689 §4.2.1. */
  readonly requireTls: boolean
  /** The message says `TLS-Required: No`, RFC 8689 §4.2.2: policies that want TLS do not hold it up. */
  readonly tlsOptional: boolean
  /** -9 to 9, RFC 6710 §4; higher goes first. */
  readonly priority: number
  /** Not before this time, RFC 4865; null: at once. */
  readonly holdUntil: number | null
  /** Seconds, when HOLDFOR said so and not HOLDUNTIL: reports repeat it, RFC 4865 §5.1.2. */
  readonly holdFor: number | null
  /** RFC 2852: past `at` it is returned, or its sender told that it takes longer. */
  readonly deliverBy: {
    readonly at: number
    readonly mode: 'return' | 'notify'
    readonly trace: boolean
  } | null
  /** BODY=BINARYMIME, RFC 3030 §3: only CHUNKING carries it as it is. */
  readonly binary: boolean
}

export const noWishes: DeliveryWishes = {
  requireTls: false,
  tlsOptional: false,
  priority: 0,
  holdUntil: null,
  holdFor: null,
  deliverBy: null,
  binary: false,
}

/** A message on its way out, for one destination domain (or several that go together). */
export interface NewQueueEntry {
  /** Owner; 0 for what the system itself sends. */
  readonly accountId: number
  /** `''` is the null reverse-path: a report, never reported about, RFC 5321 §4.5.5. */
  readonly reversePath: string
  /** One domain for all of them. */
  readonly domain: string
  readonly recipients: readonly Pick<QueueRecipient, 'forwardPath' | 'orcpt' | 'notify'>[]
  /** Fields that stand above the body on the wire. */
  readonly prefix: string
  /** The body holds octets over 127. */
  readonly eightBit: boolean
  readonly smtpUtf8: boolean
  /** `ENVID` and `RET` of RFC 3461. */
  readonly envid: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  readonly wishes: DeliveryWishes
  readonly nextAttemptAt: number
  readonly expiresAt: number
  readonly journeyId: string | null
}

export interface QueueEntry extends Omit<NewQueueEntry, 'recipients'> {
  /** Unique in the store, growing, below 2^53. */
  readonly queueId: number
  readonly createdAt: number
  readonly recipients: readonly QueueRecipient[]
  readonly body: BodyRef
  readonly attempts: number
  readonly delayWarned: boolean
  /** Null when nobody holds it. */
  readonly leasedUntil: number | null
}

/** The end of one attempt. An entry whose recipients are all settled leaves the queue in the same transaction. */
export interface Settlement {
  readonly accountId: number
  readonly queueId: number
  /** By `forwardPath`; those not named stay `waiting`. */
  readonly recipients: readonly {
    readonly forwardPath: string
    readonly state: QueueRecipient['state']
    readonly reply: string | null
  }[]
  /** When those that still wait are tried again. */
  readonly nextAttemptAt: number
  readonly delayWarned?: boolean
}

/** Who has a lease, from when, and for how long: what `lease` is called with, and what it gives. */
export interface LeaseTerms {
  readonly nowMs: number
  readonly leaseMs: number
}

/** Gets what is due at once together with its accept, already leased, so that nobody need ask for it. */
export interface QueueTaker {
  /** Sets room aside for rows that are about to be queued. @returns Null: it has no room for all of them. */
  reserve(rows: number): LeaseTerms | null
  /**
   * Ends a reservation, once for each, after the accept has been answered for.
   *
   * @param rows As reserved.
   * @param entries Those of them that were due, as `lease` gives them; none when the accept failed.
   */
  take(rows: number, entries: readonly QueueEntry[]): void
}

export interface QueueStore {
  /**
   * Takes entries that are due, in the order of their time; each step of priority counts as a minute of it, so that nothing
   * waits for ever. They are held
   * for at most `leaseMs`; nobody else gets them meanwhile. A lease that ran out is free again (its holder died), and so is
   * each when the store is opened.
   *
   * @param limit 1 to 1,000.
   */
  lease(nowMs: number, leaseMs: number, limit: number): Promise<QueueEntry[]>
  renewLease(accountId: number, queueId: number, untilMs: number): Promise<void>
  /** Ends attempts and gives the leases back. */
  settle(settlements: readonly Settlement[]): Promise<void>
  /** When the next entry becomes due; null when there is none. */
  nextDueAt(): Promise<number | null>
  /** Entries in the queue at this moment; counted along, so it costs nothing to ask. */
  readonly queueEntries: number
  /** Oldest first. */
  listQueue(limit: number): Promise<QueueEntry[]>
  /** Makes entries due at once. @param queueId Null: all. @param domain Of these, those for it. @returns How many. */
  retryNow(queueId: number | null, nowMs: number, domain?: string): Promise<number>
  /** A person takes an entry out; no report is sent. @returns False when there is none. */
  dropEntry(queueId: number): Promise<boolean>
  /**
   * Offers what is queued from now on to this one before it is stored; what it has no room for waits for `lease`. A row
   * whose taker died is free when its lease ends, or the store is opened. @returns Ends it; `take` may still follow.
   */
  handOut(taker: QueueTaker): () => void
  /** Called when an entry has been added or made due that nobody holds, so that the queue need not poll. @returns Ends it. */
  onQueued(listener: () => void): () => void
}
