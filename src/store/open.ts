import type { Surroundings } from '../base/dialler.ts'
import type { Limits } from '../base/limits.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  /** The data folder; made when it is missing. */
  readonly folder: string
  readonly limits: Limits
  readonly surroundings: Surroundings
}

export type OpenStore = (options: StoreOptions) => Promise<Store>

export { openStore } from './open-store.ts'
