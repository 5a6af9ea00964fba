import type { Config } from '../../base/config.ts'
import type { ConfigTable } from '../config-table.ts'
import { readPrefixes } from './guards.ts'

/** The table `[smtp]`. */
export function readSmtp(table: ConfigTable): Config['smtp'] {
  const vrfy = table.choice('vrfy', ['ambiguous', 'accounts'], 'ambiguous')
  const expn = table.boolean('expn', false)
  const etrn = readPrefixes(table, 'etrn')
  table.refuseOthers()
  return { vrfy, expn, etrn }
}
