import type { Config } from '../base/config.ts'
import type { JourneySink } from '../journey/event.ts'
import type { Store } from '../store/store.ts'
import type { HandInWorld } from '../submission/hand-in.ts'
import type { SignerSource } from '../submission/signer.ts'
import type { World } from './world.ts'
import { makeForwarding } from './make-forwarding.ts'
import { journeysAtLevel } from './journeys-at-level.ts'

/** What mail of this machine's own is handed in to: for the sendmail command, and for what the server writes itself. */
export function makeHandIn(parts: {
  readonly config: Config
  readonly world: Pick<World, 'clock' | 'random'>
  readonly store: Store
  readonly journeys: JourneySink
  readonly signer: SignerSource | null
}): HandInWorld {
  const { config, world, store, signer } = parts
  const { hostname, limits } = config
  const { clock, random } = world
  const journeys = journeysAtLevel(() => config.journey.level, parts.journeys)
  const forwarding = makeForwarding(config, world)
  return { store, journeys, signer, clock, random, hostname, limits, forwarding }
}
