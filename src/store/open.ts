import type { Surroundings } from '../base/dialler.ts'
import type { IndexFor } from '../base/config.ts'
import type { Limits } from '../base/limits.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  /** The data folder; made when it is missing. */
  readonly folder: string
  readonly limits: Limits
  readonly surroundings: Surroundings
  /** Whose mail the index of the search follows; absent: theirs who search. */
  readonly indexFor?: IndexFor
  /**
   * The store stopped for good and refuses everything: its thread died, which is a fault of ours or a lack of memory.
   * Nothing that was acknowledged is lost; opening it again puts it right, so the process had best end and be restarted.
   */
  readonly onFailure?: (cause: Error) => void
}

export type OpenStore = (options: StoreOptions) => Promise<Store>

export { openStore } from './open-store.ts'
