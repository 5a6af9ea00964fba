import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../base/config.ts'
import type { SmtpFilter } from '../smtp/filter/filter.ts'
import { type FilterParts, makeFilters } from './make-filters.ts'

export interface ReloadableFilters {
  /** Sessions take those that are in it when they begin. */
  readonly filters: readonly SmtpFilter[]
  /** Gets others ready. @returns Puts them in the place of the old ones, which stay open for the sessions that have them. */
  prepare(next: Config['filters']): Promise<() => void>
  close(): void
}

export async function makeReloadableFilters(parts: FilterParts): Promise<ReloadableFilters> {
  const made = [await makeFilters(parts)]
  const filters = [...made[0]!.filters]
  return {
    filters,
    async prepare(next) {
      if (isDeepStrictEqual(parts.config.filters, next)) return () => {}
      const others = await makeFilters({ ...parts, config: { ...parts.config, filters: next } })
      made.push(others)
      return () => void filters.splice(0, filters.length, ...others.filters)
    },
    close() {
      for (const one of made) one.close()
    },
  }
}
