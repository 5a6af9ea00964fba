import type { Config } from '../../base/config.ts'
import type { ConfigTable } from '../config-table.ts'

/** Reads `[forwarding]`. @throws {ConfigError} */
export function readForwarding(table: ConfigTable): Config['forwarding'] {
  const srs = table.boolean('srs', true)
  table.refuseOthers()
  return { srs }
}
