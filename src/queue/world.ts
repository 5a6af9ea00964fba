import type { Dialler } from '../base/dialler.ts'
import type { JourneyEvent, Viewer } from '../journey/event.ts'
import type { Recorder } from '../journey/recorder.ts'
import type { QueueEntry } from '../store/queue.ts'
import type { QueueBounds, QueueOptions } from './options.ts'
import type { SettlementWriter } from './settlement-writer.ts'

/** What the steps of the queue are handed instead of reaching for it. */
export interface QueueWorld extends QueueOptions {
  readonly dialler: Dialler
  readonly dialect: 'esmtp' | 'lecture'
  readonly port: number
  readonly bounds: QueueBounds
  readonly writer: SettlementWriter
}

/** One row under our lease, from the lease to the settlement. */
export interface Held {
  readonly entry: QueueEntry
  /** When the lease ends unless it is renewed. */
  leasedUntil: number
  /** By our clock, when it was taken. */
  readonly takenAt: number
}

/** A recipient's readers have a journey of their own at their own server. */
export const outgoingViewers: readonly Viewer[] = ['sender', 'admin']

/** What a recorder has gathered, shown to nobody but the sender and the admin. */
export function takeOutgoing(recorder: Recorder): JourneyEvent[] {
  return recorder.take().map((event) => ({ ...event, visibleTo: outgoingViewers }))
}
