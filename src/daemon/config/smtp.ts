import type { Config } from '../../base/config.ts'
import type { ConfigTable } from '../config-table.ts'
import { readPrefixes } from './guards.ts'

/** The table `[smtp]`. */
export function readSmtp(table: ConfigTable): Config['smtp'] {
  const vrfy = table.choice('vrfy', ['ambiguous', 'accounts'], 'ambiguous')
  const expn = table.boolean('expn', false)
  const etrn = readPrefixes(table, 'etrn')
  const noSolicitation = readKeywords(table, 'no_solicitation')
  table.refuseOthers()
  return { vrfy, expn, etrn, noSolicitation }
}

function readKeywords(table: ConfigTable, key: string): readonly string[] | null {
  const keywords = table.strings(key)
  for (const [index, keyword] of keywords?.entries() ?? []) {
    // RFC 3865
    if (/^[a-z][a-z0-9._:-]{0,99}$/i.test(keyword)) continue
    const remedy = 'Write classes such as "net.example:ADV", or [] for the sign alone.'
    throw table.error([key, index], `${table.name}.${key}: "${keyword}" is no keyword`, remedy)
  }
  // RFC 3865 §2.2: all of them together.
  if ((keywords?.join(',').length ?? 0) >= 1_000)
    throw table.error([key], `${table.name}.${key} is longer than 999 characters`, 'Name fewer classes.')
  return keywords
}
