/**
 * What is to become of one message, as a value: decided before the accept, applied by the store in one transaction.
 */
import type { Filing } from '../store/store.ts'
import type { DeliveryWishes, NewQueueEntry } from '../store/queue.ts'

/** Where one forward-path leads, aliases followed (`limits.aliasDepth` steps at most). */
export type RecipientDecision =
  | {
      readonly kind: 'home'
      /** Accounts it is filed for, each once. */
      readonly accountIds: readonly number[]
      /** Addresses elsewhere that aliases lead to: these go to the queue. */
      readonly forwards: readonly string[]
    }
  /** Not a domain of ours: only for senders who have logged in. */
  | { readonly kind: 'elsewhere' }
  /** No such user, alias loop, over quota, or the store cannot be asked (4xx). */
  | { readonly kind: 'refused'; readonly code: number; readonly status: string; readonly text: string }

export interface PlannedRecipient {
  /** As given in RCPT, domain in A-labels. */
  readonly forwardPath: string
  readonly decision: Exclude<RecipientDecision, { kind: 'refused' }>
  readonly orcpt: string | null
  readonly notify: string | null
  /** How long the queue tries; absent: as all others. */
  readonly lifeMs?: number
}

/**
 * The reverse-path of what an alias leads elsewhere.
 *
 * @param alias The forward-path that was given. @param target Where it leads.
 */
export type ForwardedPath = (alias: string, target: string) => string

export interface PlanRequest {
  /** '' for the null reverse-path. */
  readonly reversePath: string
  /** Absent: as it is. */
  readonly forwardedPath?: ForwardedPath | undefined
  /** Who pays for queue rows: the account that logged in; 0 for mail from outside. */
  readonly senderAccountId: number
  readonly recipients: readonly PlannedRecipient[]
  /** The Received field, with its CRLF; `forPath` null leaves the FOR clause out (RFC 5321 §7.2: no Bcc shown). */
  received(forPath: string | null): string
  /** Further fields under Received, each with its CRLF: Date, Message-ID, Authentication-Results … */
  readonly fields: readonly string[]
  /** False when the body does not begin with a header field: the prefix then ends with an empty line. */
  readonly hasHeader: boolean
  readonly eightBit: boolean
  readonly smtpUtf8: boolean
  readonly envid: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  readonly wishes: DeliveryWishes
  /** Filed into Junk instead of INBOX. */
  readonly junk: boolean
  readonly now: number
  readonly queueLifeMs: number
  readonly journeyId: string | null
}

export interface DeliveryPlan {
  readonly filings: readonly Filing[]
  /** One for each destination domain. */
  readonly queue: readonly NewQueueEntry[]
}
