import type { FilterRole, SmtpFilter } from '../filter.ts'
import type { Keeper } from '../keeper.ts'
import type { FilterSurroundings } from '../reach.ts'
import { MilterSession } from './session.ts'
import type { MilterSettings } from './settings.ts'

/** @param doors Those that the milter hears of. @param keeper Of the messages it may change. */
export function createMilterFilter(
  settings: MilterSettings,
  doors: readonly FilterRole[],
  around: FilterSurroundings,
  keeper: Keeper,
): SmtpFilter {
  return {
    name: settings.name,
    open: (client) =>
      doors.includes(client.role) ? new MilterSession(client, settings, around, keeper) : null,
  }
}
