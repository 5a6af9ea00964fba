import type { JourneyEntry, JourneyEvent } from '../../journey/event.ts'

/** An entry as text: strings are handed to another thread ten times quicker than the objects in them. */
export interface PackedEntry {
  readonly journeyId: string
  /** JSON; null when there are none. */
  readonly facts: string | null
  /** Time of its first event, else of the append. */
  readonly at: number
  /** JSON of `[place, event]`s; null when there are none. The place in the entry lets both be put together again. */
  readonly events: string | null
  /** Those of the kind `wire`, which are kept for a shorter time. */
  readonly wire: string | null
  readonly chars: number
}

export type PlacedEvent = readonly [place: number, event: JourneyEvent]

export function packEntry(entry: JourneyEntry, nowMs: number): PackedEntry {
  const facts = entry.facts === undefined ? null : JSON.stringify(entry.facts)
  const [events, wire]: [PlacedEvent[], PlacedEvent[]] = [[], []]
  for (const [place, event] of entry.events.entries())
    (event.kind === 'wire' ? wire : events).push([place, event])
  const [packedEvents, packedWire] = [pack(events), pack(wire)]
  return {
    journeyId: entry.journeyId,
    facts,
    at: entry.events[0]?.at ?? nowMs,
    events: packedEvents,
    wire: packedWire,
    // A hundred for what is not text.
    chars: 100 + (facts?.length ?? 0) + (packedEvents?.length ?? 0) + (packedWire?.length ?? 0),
  }
}

function pack(events: readonly PlacedEvent[]): string | null {
  return events.length === 0 ? null : JSON.stringify(events)
}
