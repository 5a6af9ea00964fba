/** Reads `[checks]`. */
import { type ChecksConfig, defaultChecks } from '../../base/checks-config.ts'
import type { ConfigTable } from '../config-table.ts'

/** @param readDomain A-labels in lower case; null when the text is no domain. @throws {ConfigError} */
export function readChecks(table: ConfigTable, readDomain: (text: string) => string | null): ChecksConfig {
  const spf = table.choice('spf', ['off', 'judge', 'refuse'], defaultChecks.spf)
  const dkim = table.boolean('dkim', defaultChecks.dkim)
  const complete = dkim && spf !== 'off'
  const dmarc = table.choice('dmarc', ['off', 'judge', 'enforce'], complete ? defaultChecks.dmarc : 'judge')
  if (dmarc === 'enforce' && !complete) {
    const remedy = 'Leave dkim and spf on, or write dmarc = "judge".'
    throw table.error(['dmarc'], 'checks.dmarc = "enforce" needs to know what DKIM and SPF say', remedy)
  }
  const trustedArc = (table.strings('trusted_arc') ?? []).map((text, index) => {
    const domain = readDomain(text)
    if (domain !== null) return domain
    const remedy = 'Write the domain that seals (d= of its ARC-Seal), such as "lists.example".'
    throw table.error(['trusted_arc', index], `checks.trusted_arc: "${text}" is not a domain`, remedy)
  })
  const judgeTrusted = table.boolean('judge_trusted', defaultChecks.judgeTrusted)
  table.refuseOthers()
  return { spf, dkim, dmarc, trustedArc, judgeTrusted }
}
