/** Makes of everything that is known of a message the lecture's six steps. */
import type { JourneyEvent, JourneyFacts, Stage } from '../../journey/event.ts'
import type { Seen } from './gather.ts'
import { describeEvent } from './describe.ts'
import { cutPhases, isSameDialogue, linesOf, type Phases } from './dialogue.ts'

/** Bumped when a field changes its meaning; new fields come without. */
export const wayVersion = 1

export interface WayEvent extends JourneyEvent {
  readonly server: string
}

export interface WayStage {
  /** Of the lecture's scenario, 1 to 6. */
  readonly step: number
  readonly stage: Stage
  /** One sentence each, oldest first. Empty: nothing was seen of it. */
  readonly facts: readonly WayFact[]
  readonly dialogues: readonly WayDialogue[]
  readonly events: readonly WayEvent[]
}

export interface WayFact {
  readonly text: string
  readonly server: string
  /** Milliseconds since 1970; null when no event tells. */
  readonly at: number | null
  readonly witness: JourneyEvent['witness']
}

export interface WayDialogue {
  readonly server: string
  readonly phases: Phases
  /** The other server recorded the same lines. */
  readonly seenByBoth: boolean
}

export interface Way {
  readonly version: typeof wayVersion
  readonly subject: string | null
  readonly messageId: string | null
  readonly reversePath: string
  readonly recipients: readonly string[]
  readonly state: JourneyFacts['state'] | null
  readonly startedAt: number
  /** When the last recipient's copy was filed; null: not yet, or not seen. */
  readonly filedAt: number | null
  readonly journeys: readonly { readonly server: string; readonly journeyId: string }[]
  readonly stages: readonly WayStage[]
}

const spine: readonly (readonly [step: number, stage: Stage])[] = [
  [1, 'written'],
  [2, 'handed-in'],
  [2, 'queued'],
  [3, 'looked-up'],
  [3, 'connected'],
  [3, 'secured'],
  [4, 'spoken'],
  [5, 'judged'],
  [5, 'filed'],
  [6, 'collected'],
]

/** @param seen At least one; in any order. */
export function mergeWay(seen: readonly Seen[]): Way {
  // The sender's side first: it began earlier, however the clocks stand.
  const ordered = [...seen].sort((a, b) => rank(a) - rank(b) || a.journey.startedAt - b.journey.startedAt)
  const events = ordered.flatMap(({ server, journey }) => {
    const submitted = journey.events.some(({ kind }) => kind === 'submit')
    return journey.events.map((event): WayEvent => ({ ...event, stage: stageOf(event, submitted), server }))
  })
  const facts = ordered.map(({ journey }) => journey.facts)
  const first = ordered[0]!
  const filed = events.filter(({ kind }) => kind === 'file')
  return {
    version: wayVersion,
    subject: pick(facts, 'subject') ?? null,
    messageId: pick(facts, 'messageId') ?? null,
    reversePath: pick(facts, 'reversePath') ?? '',
    recipients: recipientsOf(first.journey.facts),
    state: stateOf(facts, events),
    startedAt: Math.min(...ordered.map(({ journey }) => journey.startedAt)),
    filedAt: filed.length === 0 ? null : Math.max(...filed.map(({ at }) => at)),
    journeys: ordered.map(({ server, journey }) => ({ server, journeyId: journey.journeyId })),
    stages: spine.map(([step, stage]) => makeStage(step, stage, events, first)),
  }
}

/** TLS between a user agent and its own server belongs to the handing in; a server's side of it names no certificate. */
function stageOf(event: JourneyEvent, submitted: boolean): Stage {
  const ownSide = event.kind === 'tls.done' && event.data['ok'] === undefined
  return submitted && ownSide ? 'handed-in' : event.stage
}

function rank({ journey }: Seen): number {
  return journey.facts.direction === 'in' ? 1 : 0
}

/** Where nobody was accepted, those who were not. */
function recipientsOf({ recipients = [], refused = [] }: JourneyFacts): readonly string[] {
  return recipients.length > 0 ? recipients : refused
}

function pick<K extends keyof JourneyFacts>(
  all: readonly JourneyFacts[],
  name: K,
): JourneyFacts[K] | undefined {
  return all.find((facts) => facts[name] !== undefined)?.[name]
}

function stateOf(facts: readonly JourneyFacts[], events: readonly WayEvent[]): Way['state'] {
  if (events.some(({ stage }) => stage === 'collected')) return 'collected'
  const states = facts.flatMap(({ state }) => (state === undefined ? [] : [state]))
  // The outgoing side knows whether anybody still waits.
  return states[0] ?? null
}

function makeStage(step: number, stage: Stage, all: readonly WayEvent[], first: Seen): WayStage {
  const events = all.filter((event) => event.stage === stage).sort((a, b) => a.at - b.at)
  const facts = events.flatMap((event): WayFact[] => {
    const { server, at, witness } = event
    // What both ends saw is told by the one that opened the connection.
    if (isEcho(event, events, first)) return []
    return describeEvent(event).map((text) => ({ text, server, at, witness }))
  })
  if (stage === 'written' && facts.length === 0) facts.push(...claimedWriting(first))
  return { step, stage, facts, dialogues: dialoguesOf(events, first), events }
}

/** Nobody watched it being written; its header says who did. */
function claimedWriting({ server, journey }: Seen): WayFact[] {
  const { reversePath, messageId } = journey.facts
  if (reversePath === undefined || reversePath === '') return []
  const text = `by ${reversePath}${messageId === undefined ? '' : `, as ${messageId}`}`
  return [{ text, server, at: null, witness: 'claimed' }]
}

function isEcho(event: WayEvent, events: readonly WayEvent[], first: Seen): boolean {
  if (event.kind !== 'tls.done' || event.server === first.server) return false
  return events.some((other) => other.kind === 'tls.done' && other.server === first.server)
}

/** One for each server and connection; a second one that tells the same is only counted as a witness. */
function dialoguesOf(events: readonly WayEvent[], first: Seen): WayDialogue[] {
  const groups = new Map<string, { server: string; lines: ReturnType<typeof linesOf> }>()
  for (const event of events) {
    const lines = linesOf(event.data)
    if (lines.length === 0) continue
    const { client, remote } = event.data
    const key = `${event.server} ${String(client ?? remote ?? '')}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { server: event.server, lines })
    else group.lines.push(...lines)
  }
  const ordered = [...groups.values()].sort(
    (a, b) => Number(b.server === first.server) - Number(a.server === first.server),
  )
  const told: { server: string; lines: ReturnType<typeof linesOf>; seenByBoth: boolean }[] = []
  for (const group of ordered) {
    const same = told.find((one) => one.server !== group.server && isSameDialogue(one.lines, group.lines))
    if (same === undefined) told.push({ ...group, seenByBoth: false })
    else same.seenByBoth = true
  }
  return told.map(({ server, lines, seenByBoth }) => ({ server, phases: cutPhases(lines), seenByBoth }))
}
