import type { Config } from '../base/config.ts'
import type { Store } from '../store/store.ts'
import type { World } from './world.ts'
import { Rejects } from '../delivery/rejects.ts'

/** Null: no copies of refused mail are kept. */
export function makeRejects(parts: {
  readonly config: Config
  readonly world: Pick<World, 'clock' | 'log'>
  readonly store: Store
}): Rejects | null {
  const { config, world, store } = parts
  const { mailbox } = config.rejects
  if (mailbox === null) return null
  const { clamav } = config.filters
  return new Rejects({
    ...{ config: { ...config.rejects, mailbox }, store, clock: world.clock },
    log: world.log.with({ part: 'rejects' }),
    except: new Set(clamav === null ? [] : [clamav.name]),
  })
}
