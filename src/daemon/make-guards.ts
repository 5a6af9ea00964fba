/** Makes the guards of one server: their notes, the gate all connections come through, and the book of refusals. */
import type { Config } from '../base/config.ts'
import { liveTable } from '../base/live-table.ts'
import { ConnectionGate } from '../base/connection-gate.ts'
import type { Guards } from '../smtp/guard/create-guards.ts'
import type { RefusalBook } from '../smtp/guard/refusal-book.ts'
import type { Notes } from '../store/notes.ts'
import type { Journeys } from '../store/journeys/open.ts'
import type { World } from './world.ts'
import { journeysAtLevel } from './journeys-at-level.ts'

export interface ServerGuards extends Guards {
  readonly gate: ConnectionGate
  readonly refusals: RefusalBook
  readonly notes: Notes
  /** The configuration was read anew. */
  reloaded(): void
  close(): Promise<void>
}

export interface GuardParts {
  readonly config: Config
  readonly world: World
  readonly journeys: Journeys
}

/** @throws {Error} The notes cannot be read. */
export async function makeGuards({ config, world, journeys }: GuardParts): Promise<ServerGuards> {
  const { openNotes } = await import('../store/notes/open-notes.ts')
  const { createGuards } = await import('../smtp/guard/create-guards.ts')
  const { RefusalBook } = await import('../smtp/guard/refusal-book.ts')
  const { limits } = config
  const { clock, random, resolver } = world
  const log = world.log.with({ part: 'guards' })
  const notes = await openNotes({ disk: journeys, limits, clock, log })
  const guards = createGuards({ config: liveTable(() => config.guards), limits, clock, log, notes, resolver })
  const sink = journeysAtLevel(() => config.journey.level, journeys)
  const refusals = new RefusalBook({ journeys: sink, clock, random, limits })
  const { bans, isTrusted } = guards
  const gate = new ConnectionGate({
    ...{ limits, clock },
    // Behind a load balancer it is the client that is counted, once it is known.
    isTrusted: (address) => isTrusted(address) || config.guards.proxies.includes(address),
    banned: (address) => bans.find(address)?.reason ?? null,
    turnedAway({ reason, text }, remoteAddress) {
      refusals.count({
        remoteAddress,
        stage: 'connect',
        reason: reason === 'banned' ? `banned: ${text}` : text,
      })
    },
  })
  return {
    ...guards,
    ...{ gate, refusals, notes },
    reloaded: () => bans.configure(config.guards.banned),
    async close() {
      refusals.flush()
      await notes.close()
    },
  }
}
