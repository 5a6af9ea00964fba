/** What gathered-entries.ts put together, read again; and the lines of JSON that a file of version 3 has in its batches. */
import type { JourneyEvent, Kind, Stage, Viewer, Witness } from '../../journey/event.ts'
import { unpackSpoken } from '../../journey/spoken.ts'

/** All that a batch says of one journey besides its events. */
export interface Head {
  /** Of its oldest entry. */
  at: number
  /** Each as JSON. */
  facts: string[]
}

/** An event still packed, with what is needed to put it in its place. */
export type PackedEvent = () => readonly PlacedEvent[]

/** Of events of one time the one in the lower place came first. */
export interface PlacedEvent {
  readonly place: number
  readonly event: JourneyEvent
}

/** By journeys, in the order of their first entries. @throws {Error} It is damaged. */
export function headsOf(text: string): Map<string, Head> {
  const heads = new Map<string, Head>()
  const [since, begin] = sinceOf(text)
  for (let start = begin, end = 0; start < text.length; start = end + 1) {
    end = lineEnd(text, start)
    const idEnd = text.indexOf(' ', start)
    const atEnd = text.indexOf(' ', idEnd + 1)
    const id = text.slice(start, idEnd)
    const at = since + Number(text.slice(idEnd + 1, atEnd))
    const facts = text.slice(atEnd + 1, end)
    const known = heads.get(id)
    if (known === undefined) heads.set(id, { at, facts: facts === '' ? [] : [facts] })
    else {
      known.at = Math.min(known.at, at)
      if (facts !== '') known.facts.push(facts)
    }
  }
  return heads
}

/** @param into Events by journey. @throws {Error} The rest is damaged. */
export function eventsByJourney(text: string, into: Map<string, PackedEvent[]>): void {
  if (text === '') return
  const [since, begin] = sinceOf(text)
  for (let start = begin; start < text.length; ) {
    const end = lineEnd(text, start)
    const line = text.slice(start, end)
    const [id, saidChars] = line.split(' ', 2)
    start = end + 1 + Math.max(0, Number(saidChars))
    const said = text.slice(end + 1, start)
    add(into, id!, () => [unpackEvent(line, said, since)])
  }
}

function sinceOf(text: string): readonly [since: number, end: number] {
  const end = lineEnd(text, 0)
  return [Number(text.slice(0, end)), end + 1]
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  if (end < 0) throw new Error('Cannot read a batch of journeys: a line has no end')
  return end
}

const witnesses: Readonly<Record<string, Witness>> = { o: 'observed', a: 'attested', c: 'claimed' }
const viewers: Readonly<Record<string, Viewer>> = { s: 'sender', r: 'recipient', a: 'admin' }

function unpackEvent(line: string, said: string, since: number): PlacedEvent {
  const [, , place, at, dtUs, stage, kind, seen] = line.split(' ', 8)
  const json = line.slice(line.indexOf(' [') + 1)
  const [data, branch] = JSON.parse(json) as [JourneyEvent['data'], string?]
  const event: JourneyEvent = {
    at: since + Number(at),
    dtUs: Number(dtUs),
    stage: stage as Stage,
    kind: kind as Kind,
    witness: witnesses[seen![0]!]!,
    visibleTo: Array.from(seen!.slice(1), (viewer) => viewers[viewer]!),
    data: said === '' ? data : { ...data, lines: unpackSpoken(said) },
    ...(branch === undefined ? {} : { branch }),
  }
  return { place: Number(place), event }
}

/** A line for each entry: journey's id, the entry's part, and `[place, event]`s as JSON. */
export function linesByJourney(text: string, into: Map<string, PackedEvent[]>): void {
  if (text === '') return
  for (const line of text.split('\n')) {
    const [id, part] = line.split(' ', 2)
    const json = line.slice(id!.length + part!.length + 2)
    add(into, id!, () => unpackLine(json, Number(part)))
  }
}

/** More than the events of an entry. */
const placesOfPart = 2 ** 20

function unpackLine(json: string, part: number): PlacedEvent[] {
  const placed = JSON.parse(json) as (readonly [place: number, event: JourneyEvent])[]
  return placed.map(([place, event]) => ({ place: part * placesOfPart + place, event }))
}

function add(into: Map<string, PackedEvent[]>, id: string, event: PackedEvent): void {
  const known = into.get(id)
  if (known === undefined) into.set(id, [event])
  else known.push(event)
}
