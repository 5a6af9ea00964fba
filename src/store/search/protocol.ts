import type { SearchCriterion } from '../search.ts'
import type { IndexBounds } from './index-file.ts'

export interface SearchThreadData {
  /** Of the shard. */
  readonly folder: string
  /** Of the hashes of words. */
  readonly seed: number
  /** The index is of everybody's messages, not only of those that it is told of. */
  readonly everybody: boolean
  /** Other than the default: tests. */
  readonly bounds?: IndexBounds
}

export interface NewEmails {
  readonly accountId: number
  readonly emailIds: Float64Array
}

export type SearchPost =
  /** There may be new messages; of accounts that the index follows, these. */
  | { readonly kind: 'wake'; readonly added: readonly NewEmails[] }
  /** Messages may have gone. */
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'search'
      readonly id: number
      readonly accountId: number
      readonly emailIds: Float64Array
      readonly criteria: readonly SearchCriterion[]
      readonly plain: boolean
      /** Milliseconds since 1970. */
      readonly at: number
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'close' }

export interface ThreadStatus {
  readonly messages: number
  readonly accounts: number
  readonly waiting: number
  readonly octets: number
  readonly words: number
  readonly wordOctets: number
  readonly partial: number
}

export type SearchReply =
  | { readonly kind: 'found'; readonly id: number; readonly places: Uint32Array; readonly unreadable: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }
  | {
      readonly kind: 'progress'
      readonly id: number
      readonly lookedInto: number
      readonly total: number
    }
  | { readonly kind: 'status'; readonly id: number; readonly status: ThreadStatus }
  /** The account has searched, and has an index from now on if it had none. */
  | { readonly kind: 'follows'; readonly accountId: number; readonly at: number }
  /** So many messages of accounts that have searched, or of everybody (at most), are still to be indexed. */
  | { readonly kind: 'behind'; readonly messages: number }
  /** All messages are indexed that were there at the last `wake`. */
  | { readonly kind: 'rested' }
  | { readonly kind: 'info'; readonly text: string; readonly facts: { readonly [name: string]: number } }
  | { readonly kind: 'warning'; readonly text: string; readonly facts: { readonly [name: string]: string } }
