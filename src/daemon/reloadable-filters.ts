import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../base/config.ts'
import type { SmtpFilter } from '../smtp/filter/filter.ts'
import { type FilterParts, type Filters, makeFilters } from './make-filters.ts'

export interface ReloadableFilters {
  /** Sessions take those that are in it when they begin. */
  readonly filters: readonly SmtpFilter[]
  /** Gets others ready. @returns Puts them in the place of the old ones, which stay open for the sessions that have them. */
  prepare(next: Pick<Config, 'filters' | 'checks'>): Promise<() => void>
  close(): void
}

export async function makeReloadableFilters(parts: FilterParts): Promise<ReloadableFilters> {
  let inUse = countSessions(await makeFilters(parts))
  /** Also those that were replaced and still have sessions. */
  const open = new Set([inUse])
  const filters = [...inUse.filters]
  return {
    filters,
    async prepare(next) {
      const { config } = parts
      if (isDeepStrictEqual(config.filters, next.filters) && isDeepStrictEqual(config.checks, next.checks))
        return () => {}
      const { filters: programs, checks } = next
      const others = countSessions(
        await makeFilters({ ...parts, config: { ...config, filters: programs, checks } }),
      )
      return () => {
        const before = inUse
        inUse = others
        open.add(others)
        filters.splice(0, filters.length, ...others.filters)
        before.replaced(() => open.delete(before))
      }
    },
    close() {
      for (const one of open) one.close()
    },
  }
}

interface CountedFilters extends Filters {
  /** No further session gets them: they are closed when the last one has ended. */
  replaced(closed: () => void): void
}

/** One more filter, which has nothing to say, takes part in each session: it sees when they begin and end. */
function countSessions(made: Filters): CountedFilters {
  let sessions = 0
  let whenReplaced: (() => void) | null = null
  const closeUnused = (): void => {
    if (sessions > 0 || whenReplaced === null) return
    whenReplaced()
    whenReplaced = null
    made.close()
  }
  const counter: SmtpFilter = {
    name: 'sessions',
    open() {
      sessions++
      let ended = false
      return {
        close() {
          if (ended) return
          ended = true
          sessions--
          closeUnused()
        },
      }
    },
  }
  return {
    filters: made.keepsOpen ? [...made.filters, counter] : made.filters,
    keepsOpen: made.keepsOpen,
    close: () => made.close(),
    replaced(closed) {
      whenReplaced = closed
      closeUnused()
    },
  }
}
