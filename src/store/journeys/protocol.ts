import type { JourneyQuery } from '../../journey/event.ts'
import type { PackedNote } from '../notes/note-base.ts'
import type { PackedBatch } from './gathered-entries.ts'

export interface JourneyThreadData {
  readonly folder: string
  readonly factsMs: number
  readonly wireMs: number
  readonly fileOctets: number
}

export type JourneyRequest =
  | { readonly kind: 'append'; readonly batch: PackedBatch }
  | { readonly kind: 'find'; readonly query: JourneyQuery }
  | { readonly kind: 'expire'; readonly nowMs: number }
  | { readonly kind: 'notes.load'; readonly after: number; readonly limit: number }
  | { readonly kind: 'notes.write'; readonly notes: readonly PackedNote[] }
  | { readonly kind: 'notes.expire'; readonly nowMs: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'close' }

export interface JourneyReply {
  readonly id: number
  /** Each a `Journey` as JSON. */
  readonly journeys?: readonly string[]
  readonly notes?: readonly PackedNote[]
  readonly error?: string
  readonly warning?: { readonly text: string; readonly facts: { readonly [name: string]: string } }
}
