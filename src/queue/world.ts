import type { Dialler } from '../base/dialler.ts'
import type { JourneyEvent } from '../journey/event.ts'
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

/**
 * What a recorder has gathered, for the sender and the admin: the recipient's server has a journey of its own. Only where
 * a letter was filed here is the recipient's, too.
 */
export function takeOutgoing(recorder: Recorder): JourneyEvent[] {
  return recorder.take().map((event) => {
    if (event.kind === 'file') return event
    return { ...event, visibleTo: event.visibleTo.filter((viewer) => viewer !== 'recipient') }
  })
}
