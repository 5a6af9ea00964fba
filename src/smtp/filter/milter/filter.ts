import type { MilterConfig } from '../../../base/filter-config.ts'
import type { Limits } from '../../../base/limits.ts'
import { standsAt } from '../doors.ts'
import type { SmtpFilter } from '../filter.ts'
import type { KeeperPool } from '../keeper.ts'
import type { FilterSurroundings } from '../reach.ts'
import { MilterSession } from './session.ts'
import { changesMax, packetOctets } from './settings.ts'

export function createMilterFilter(
  config: MilterConfig,
  limits: Pick<Limits, 'headerOctets'>,
  around: FilterSurroundings,
  pool: KeeperPool,
): SmtpFilter {
  const settings = { ...config, headerOctets: limits.headerOctets, packetOctets, changes: changesMax }
  const keeper = pool.keeper(config.maxOctets)
  return {
    name: config.name,
    open: (client) =>
      standsAt(config, client.role) ? new MilterSession(client, settings, around, keeper) : null,
  }
}
