import { resolve } from 'node:path'
import type { CertificateFiles, TlsConfig } from '../../base/config.ts'
import type { ConfigTable } from '../config-table.ts'

/**
 * `[tls]`: one certificate as `certificate` and `key`, or several as `[[tls.certificate]]` (or
 * `certificates = [{ certificate, key }]`), the first of which serves who names no server; and `client_ca`.
 *
 * @param folder Relative paths are in it.
 * @throws {ConfigError}
 */
export function readTls(table: ConfigTable, folder: string): TlsConfig {
  const several = table.tables(
    table.isText('certificate') || !table.has('certificate') ? 'certificates' : 'certificate',
  )
  const certificates =
    several.length === 0 ? readOne(table, folder) : several.map((one) => readPair(one, folder))
  if (several.length > 0 && table.string('key') !== null) {
    const remedy = 'Move it into the [[tls.certificate]] that it belongs to.'
    throw table.error(['key'], 'tls.key stands beside a list of certificates', remedy)
  }
  const clientCa = table.string('client_ca')
  table.refuseOthers()
  return { certificates, clientCa: clientCa === null ? null : resolve(folder, clientCa) }
}

function readOne(table: ConfigTable, folder: string): CertificateFiles[] {
  const certificate = table.string('certificate')
  const key = table.string('key')
  if (certificate === null && key === null) return []
  if (certificate === null || key === null) {
    const missing = certificate === null ? 'certificate' : 'key'
    const remedy = `Add tls.${missing} = "FILE.pem"; without both lines the server makes a certificate itself.`
    throw table.error([], `tls.${missing} is missing`, remedy)
  }
  return [{ certificate: resolve(folder, certificate), key: resolve(folder, key) }]
}

function readPair(table: ConfigTable, folder: string): CertificateFiles {
  const certificate = table.string('certificate')
  const key = table.string('key')
  table.refuseOthers()
  if (certificate === null || key === null) {
    const missing = certificate === null ? 'certificate' : 'key'
    throw table.error([], `A certificate has no ${missing}`, `Add ${missing} = "FILE.pem".`)
  }
  return { certificate: resolve(folder, certificate), key: resolve(folder, key) }
}
