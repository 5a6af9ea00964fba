import type { ProcessConfig } from '../../base/config.ts'
import type { ConfigTable } from '../config-table.ts'

/** `[process]`: whom a server that is started as root becomes. @throws {ConfigError} */
export function readProcess(table: ConfigTable): ProcessConfig {
  const user = table.string('user')
  const group = table.string('group')
  table.refuseOthers()
  if (user === null && group !== null) {
    throw table.error(['group'], 'process.group stands alone', 'Add process.user = "posthorn".')
  }
  return { user, group }
}
