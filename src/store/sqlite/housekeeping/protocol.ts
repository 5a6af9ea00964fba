import type { Limits } from '../../../base/limits.ts'
import type { CleanProgress, CleanReport, StoreStat } from '../../housekeeping.ts'
import type { OperationName } from '../operations.ts'
import type { WriterError } from '../protocol.ts'

/** A thread does one of these and ends. */
export type Job =
  /** `bounded`: so many octets a second and no more. `thorough`: looks at each email's row too. */
  | { readonly kind: 'clean'; readonly bounded: boolean; readonly thorough: boolean }
  | { readonly kind: 'stat' }

export interface HousekeepingData {
  readonly folder: string
  readonly limits: Limits
  readonly diskModule: string | null
  readonly diskData: unknown
  /** Instead of the time that readers of a segment are given to leave it: tests. */
  readonly leaveMs: number | null
  readonly job: Job
  /** The store's clock. */
  readonly nowMs: number
}

export type ToThread =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly error: WriterError }
  /** No bound from now on: somebody waits. */
  | { readonly kind: 'hurry' }
  | { readonly kind: 'stop' }

export type FromThread =
  /** To be asked of the writer, behind everything else. */
  | { readonly kind: 'ask'; readonly id: number; readonly name: OperationName; readonly call: unknown }
  | { readonly kind: 'progress'; readonly progress: CleanProgress }
  | { readonly kind: 'warning'; readonly text: string; readonly facts: { readonly [name: string]: unknown } }
  | { readonly kind: 'done'; readonly result: CleanReport | StoreStat }
  | { readonly kind: 'failed'; readonly error: WriterError }
