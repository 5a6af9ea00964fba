/**
 * Entries as text: strings are handed to another thread ten times quicker than the objects in them, and three long ones
 * quicker than many short ones. JSON has no line ends in it, so that a batch of entries is lines.
 */
import type { JourneyEntry, JourneyEvent, JourneyFacts } from '../../journey/event.ts'

export interface PackedEntry {
  /** Time of its first event, else of the append. */
  readonly at: number
  readonly head: string
  /** Null when there are none. */
  readonly events: string | null
  /** Those of the kind `wire`, which are kept for a shorter time. */
  readonly wire: string | null
  readonly chars: number
}

/** What goes to the thread, and into the file, in one piece. */
export interface PackedBatch {
  /** Time of its newest entry. */
  readonly at: number
  /** Four lines for each entry: journey's id, time, `1` when it has events, facts as JSON; the last two may be empty. */
  readonly heads: string
  /** A line for each entry that has any: journey's id, the entry's part, JSON of `PlacedEvent`s; '' when none has. */
  readonly events: string
  readonly wire: string
}

/** The place in the entry lets events and wire be put together again. */
export type PlacedEvent = readonly [place: number, event: JourneyEvent]

/** @param part Grows from entry to entry. */
export function packEntry(
  { journeyId, facts, events }: JourneyEntry,
  part: number,
  nowMs: number,
): PackedEntry {
  const [others, lines]: [PlacedEvent[], PlacedEvent[]] = [[], []]
  for (let place = 0; place < events.length; place++) {
    const event = events[place]!
    ;(event.kind === 'wire' ? lines : others).push([place, event])
  }
  const at = events[0]?.at ?? nowMs
  const head = packHead(journeyId, at, events.length > 0, facts === undefined ? '' : JSON.stringify(facts))
  const packedEvents = others.length === 0 ? null : packEvents(journeyId, part, JSON.stringify(others))
  const wire = lines.length === 0 ? null : packEvents(journeyId, part, JSON.stringify(lines))
  const chars = head.length + (packedEvents?.length ?? 0) + (wire?.length ?? 0)
  // A hundred for what is not text.
  return { at, head, events: packedEvents, wire, chars: chars + 100 }
}

export function packHead(journeyId: string, at: number, hasEvents: boolean, facts: string): string {
  return `${journeyId}\n${at}\n${hasEvents ? '1' : ''}\n${facts}`
}

export function packEvents(journeyId: string, part: number, placed: string): string {
  return `${journeyId} ${part} ${placed}`
}

export function packBatch(entries: readonly PackedEntry[]): PackedBatch {
  let at = entries[0]!.at
  const [events, wire]: [string[], string[]] = [[], []]
  for (const entry of entries) {
    if (entry.at > at) at = entry.at
    if (entry.events !== null) events.push(entry.events)
    if (entry.wire !== null) wire.push(entry.wire)
  }
  const heads = entries.map(({ head }) => head).join('\n')
  return { at, heads, events: events.join('\n'), wire: wire.join('\n') }
}

/** All that a batch says of one journey besides its events. */
export interface Head {
  /** Of its oldest entry. */
  at: number
  hasEvents: boolean
  facts: readonly string[]
}

/** By journeys, in the order of their first entries. */
export function headsOf(batch: PackedBatch): Map<string, Head> {
  const lines = batch.heads.split('\n')
  const heads = new Map<string, Head>()
  for (let i = 0; i < lines.length; i += 4) {
    const [id, at, hasEvents, text] = [lines[i]!, Number(lines[i + 1]), lines[i + 2] === '1', lines[i + 3]!]
    const facts = text === '' ? [] : [text]
    const known = heads.get(id)
    if (known === undefined) heads.set(id, { at, hasEvents, facts })
    else {
      known.at = Math.min(known.at, at)
      known.hasEvents ||= hasEvents
      if (text !== '') known.facts = [...known.facts, text]
    }
  }
  return heads
}

interface UnpackedEvents {
  readonly part: number
  readonly placed: readonly PlacedEvent[]
}

/** The lines of `events` or `wire` by journey, still packed. */
export function linesByJourney(text: string, into: Map<string, string[]>): void {
  if (text === '') return
  for (const line of text.split('\n')) {
    const end = line.indexOf(' ')
    const [id, rest] = [line.slice(0, end), line.slice(end + 1)]
    const lines = into.get(id)
    if (lines === undefined) into.set(id, [rest])
    else lines.push(rest)
  }
}

/** @param rest What stands behind a line's id. */
export function unpackEvents(rest: string): UnpackedEvents {
  const end = rest.indexOf(' ')
  return { part: Number(rest.slice(0, end)), placed: JSON.parse(rest.slice(end + 1)) as PlacedEvent[] }
}

export function parseFacts(text: string): JourneyFacts {
  return JSON.parse(text) as JourneyFacts
}
