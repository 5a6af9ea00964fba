import type { Filing } from '../store/store.ts'
import type { NewQueueEntry } from '../store/queue.ts'
import type { RecipientOutcome } from './outcome.ts'

/** What is to be filed at home: a queued message whose domain is ours by now, or a report to a sender of ours. */
export type HomeLetter = Omit<NewQueueEntry, 'domain' | 'nextAttemptAt'>

export interface HomePlan {
  readonly filings: readonly Filing[]
  /** Addresses that aliases lead to elsewhere. */
  readonly queue: readonly NewQueueEntry[]
  /** One for each recipient, by `forwardPath`; `delivered` means: once the filings and rows of this plan are committed. */
  readonly outcomes: ReadonlyMap<string, RecipientOutcome>
}

/** How the queue files at home. Declared here, filled by `delivery`, which stands above. */
export interface LocalDelivery {
  /**
   * Decides as for mail that comes in: aliases, quota, refusals. Writes nothing.
   *
   * @param letter Recipients of one domain.
   * @returns Null when the domain is not ours. Never rejects: a store that fails is a temporary outcome.
   */
  plan(letter: HomeLetter, now: number): Promise<HomePlan | null>
}
