import type { FilterConfig, FilterDoor } from '../../base/filter-config.ts'
import type { FilterRole } from './filter.ts'

const doorOf: Readonly<Record<FilterRole, FilterDoor>> = {
  mx: 'smtp',
  submission: 'submission',
  lmtp: 'lmtp',
}

/** Whether a filter is there for what comes in by a door. */
export function standsAt({ doors }: FilterConfig, role: FilterRole): boolean {
  return doors.includes(doorOf[role])
}
