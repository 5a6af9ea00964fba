import type { JourneyEntry, JourneyEvent, JourneyFacts } from '../../journey/event.ts'

/** An entry as text: one string is handed to another thread ten times quicker than the objects in it. */
export interface PackedEntry {
  readonly journeyId: string
  readonly facts: JourneyFacts | null
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
  const placed = entry.events.map((event, place): PlacedEvent => [place, event])
  const events = pack(placed.filter(([, event]) => event.kind !== 'wire'))
  const wire = pack(placed.filter(([, event]) => event.kind === 'wire'))
  return {
    journeyId: entry.journeyId,
    facts: entry.facts ?? null,
    at: entry.events[0]?.at ?? nowMs,
    events,
    wire,
    // A few hundred for what is not text: ids and facts.
    chars: 300 + (events?.length ?? 0) + (wire?.length ?? 0),
  }
}

function pack(events: readonly PlacedEvent[]): string | null {
  return events.length === 0 ? null : JSON.stringify(events)
}
