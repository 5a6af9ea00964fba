import type { Limits } from '../../base/limits.ts'
import type { AcceptCall } from './accept.ts'
import type { Delta } from './delta.ts'
import type { OperationName } from './operations.ts'

/** One thing asked of the writer. */
export type WriterCall =
  | { readonly id: number; readonly name: 'accept'; readonly call: AcceptCall }
  | { readonly id: number; readonly name: OperationName; readonly call: unknown }

/**
 * Who waits for a call. `interactive`: a session. `patient`: nobody outside, so it takes part in the next commit that is
 * made anyway, if one is made soon. `bulk`: nobody, and it is long: it waits while there is anything else.
 */
export type Lane = 'interactive' | 'patient' | 'bulk'

/** All that the sockets' thread asked for in one turn. */
export interface WriterPost {
  readonly interactive: readonly WriterCall[]
  readonly bulk: readonly WriterCall[]
  readonly nowMs: number
  /** Somebody reads the tables at this time: they must show what is answered. */
  readonly reading: boolean
  /** Bodies of the accepts, each after the room for its record's header; handed over, not copied. */
  readonly bodies: ArrayBuffer | null
}

export interface WriterError {
  /** Class of store/errors.ts, or another error's name. */
  readonly name: string
  readonly message: string
  /** Of StoreUnopenable. */
  readonly remedy?: string
}

/** Answers of one commit, in its order. */
export interface WriterReply {
  readonly kind: 'done'
  readonly done: readonly { readonly id: number; readonly value: unknown }[]
  readonly failed: readonly { readonly id: number; readonly error: WriterError }[]
  readonly deltas: readonly Delta[]
  readonly queued: boolean
  /** Entries that the queue got, less those that left it. */
  readonly queueGrowth: number
  /** Octets of bodies that became garbage. */
  readonly freedOctets: number
  /** Whether the tables show all that was answered. */
  readonly readable: boolean
}

export type WriterMessage =
  | WriterReply
  | { readonly kind: 'ready' }
  | { readonly kind: 'closed' }
  /** It will not answer any more. */
  | { readonly kind: 'failed'; readonly text: string }
  /** Instead of `ready`. */
  | { readonly kind: 'unopened'; readonly error: WriterError }
  | { readonly kind: 'warning'; readonly text: string; readonly facts: { readonly [name: string]: string } }

export interface WriterData {
  readonly folder: string
  readonly limits: Limits
  /** Calls in a second from which on batches share commits. */
  readonly busyCalls: number
  /** For so long after somebody read each batch is committed at once. */
  readonly readingMs: number
  /** The store's clock. */
  readonly nowMs: number
  /** Module whose `makeDisk(data)` stands in for the disk: tests. */
  readonly diskModule: string | null
  readonly diskData: unknown
}
