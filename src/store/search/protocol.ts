import type { SearchCriterion } from '../search.ts'
import type { IndexBounds } from './index-file.ts'

export interface SearchThreadData {
  /** Of the shard. */
  readonly folder: string
  /** Of the hashes of words. */
  readonly seed: number
  /** Other than the default: tests. */
  readonly bounds?: IndexBounds
}

export type SearchPost =
  /** There may be new messages. */
  | { readonly kind: 'wake' }
  /** Messages may have gone. */
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'search'
      readonly id: number
      readonly accountId: number
      readonly emailIds: Float64Array
      readonly criteria: readonly SearchCriterion[]
      readonly plain: boolean
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'close' }

export interface ThreadStatus {
  readonly messages: number
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
  /** All messages are indexed that were there at the last `wake`. */
  | { readonly kind: 'rested' }
  | { readonly kind: 'warning'; readonly text: string; readonly facts: { readonly [name: string]: string } }
