/**
 * Collects what every server knows of one message. Two servers' journeys are of one message when they share a link: the
 * four numbers of a connection and the index of the transaction on it. Anybody may write the same Message-ID, so that
 * alone joins nothing.
 */
import type { AdminDoor } from '../admin-door.ts'
import type { Journey } from '../../journey/event.ts'

export interface Seen {
  /** Domain of the server that recorded it; '' when there is only one. */
  readonly server: string
  readonly journey: Journey
}

/** What a person may name a message by. */
export interface WayQuery {
  readonly id?: string
  readonly messageId?: string
  readonly rcpt?: string
  readonly queueId?: string
  /** `0`: without what strangers were refused. */
  readonly refused?: '0'
}

/** Journeys that are joined at most: a message to many domains has one at each. */
const seenMax = 100

/** @returns The newest message that fits, with everything that is known of it; empty when there is none. */
export async function gatherWay(doors: readonly AdminDoor[], query: WayQuery): Promise<Seen[]> {
  const found = await findEverywhere(doors, { ...query, limit: '1' })
  const newest = found.sort((a, b) => b.journey.startedAt - a.journey.startedAt)[0]
  return newest === undefined ? [] : joinByLinks(doors, newest)
}

/** @param text What stands on the command line: `last`, a journey's id, a Message-ID or a queue id. */
export function readQuery(text: string | undefined): WayQuery[] {
  // The newest letter, not the newest attempt of some bot; where there is nothing else, that.
  if (text === undefined || text === 'last') return [{ refused: '0' }, {}]
  if (text.includes('@')) return [{ messageId: text.startsWith('<') ? text : `<${text}>` }]
  // Ids of journeys have 16 characters; a queue id is a short number.
  return /^\d{1,15}$/.test(text) ? [{ queueId: text }, { id: text }] : [{ id: text.toLowerCase() }]
}

async function findEverywhere(
  doors: readonly AdminDoor[],
  query: Readonly<Record<string, string>>,
): Promise<Seen[]> {
  const path = `/v1/journeys?${new URLSearchParams(query)}`
  const all = doors.map(async (door) => {
    const { journeys } = await door.call<{ journeys: Journey[] }>('GET', path)
    return journeys.map((journey) => ({ server: door.name, journey }))
  })
  return (await Promise.all(all)).flat()
}

async function joinByLinks(doors: readonly AdminDoor[], start: Seen): Promise<Seen[]> {
  const known = new Map<string, Seen>()
  const asked = new Set<string>()
  const open = [start]
  while (open.length > 0 && known.size < seenMax) {
    const seen = open.shift()!
    const key = `${seen.server} ${seen.journey.journeyId}`
    if (known.has(key)) continue
    known.set(key, seen)
    for (const { client, server, transaction } of seen.journey.facts.links ?? []) {
      const query = { client, server, transaction: String(transaction), limit: '10' }
      const link = new URLSearchParams(query).toString()
      if (asked.has(link)) continue
      asked.add(link)
      open.push(...(await findEverywhere(doors, query)))
    }
  }
  return [...known.values()]
}
