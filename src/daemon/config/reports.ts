/** Reads `[reports]`. */
import { defaultReports, type ReportsConfig } from '../../base/reports-config.ts'
import { normaliseAddress } from '../../store/address.ts'
import type { ConfigTable } from '../config-table.ts'

/** @param readDomain A-labels in lower case; null when the text is no domain. @throws {ConfigError} */
export function readReports(table: ConfigTable, readDomain: (text: string) => string | null): ReportsConfig {
  const from = table.string('from')
  const reports: ReportsConfig = {
    dmarc: table.boolean('dmarc', defaultReports.dmarc),
    tls: table.boolean('tls', defaultReports.tls),
    from: from === null ? null : readAddress(table, ['from'], from),
    organisation: table.string('organisation'),
    contact: table.string('contact'),
    exclude: (table.strings('exclude') ?? []).map((text, index) => {
      const domain = readDomain(text)
      if (domain !== null) return domain
      const remedy = 'Write domains, such as "crepes.fr".'
      throw table.error(['exclude', index], `reports.exclude: "${text}" is not a domain`, remedy)
    }),
    addresses: (table.strings('addresses') ?? []).map((text, index) =>
      readAddress(table, ['addresses', index], text),
    ),
  }
  table.refuseOthers()
  return reports
}

function readAddress(table: ConfigTable, path: (string | number)[], text: string): string {
  const address = normaliseAddress(text)
  // It stands in a header without quotes.
  if (address !== null && /^[\w!#$%&'*+/=?^`{|}~.-]+@[a-z0-9.-]+$/.test(address)) return address
  const remedy = 'Write an address of a domain here, such as "dmarc-reports@crepes.fr".'
  throw table.error(path, `reports.${path[0]}: "${text}" is not an address`, remedy)
}
