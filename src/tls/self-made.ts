import { X509Certificate } from 'node:crypto'
import { chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type CertificateAndKey, makeSelfSigned } from './certificate.ts'

/** In the data folder: key and certificate in one file, so that a crash cannot leave one without the other. */
export const selfMadeFile = 'self-made.pem'
const renewBeforeMs = 30 * 24 * 3_600_000

/**
 * The certificate for a server that was given none: kept in the data folder, readable by its owner only, made anew when
 * less than 30 days are left, the host name is another, or the file cannot be read as one.
 *
 * @throws {Error} The folder cannot be written.
 */
export async function loadOrMakeCertificate(
  folder: string,
  hostname: string,
  clock: Clock,
  random: Random,
): Promise<CertificateAndKey> {
  const file = join(folder, selfMadeFile)
  const kept = await readFile(file, 'latin1').catch(() => null)
  const parts = kept === null ? null : split(kept)
  if (parts !== null && isGood(parts, hostname, clock.now())) {
    await chmod(file, 0o600)
    return parts
  }
  const made = makeSelfSigned({ hostnames: [hostname] }, { nowMs: clock.now(), random })
  const part = `${file}.${Buffer.from(random.bytes(6)).toString('hex')}.part`
  try {
    const handle = await open(part, 'wx', 0o600)
    try {
      await handle.writeFile(made.key + made.certificate)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  return made
}

function split(text: string): CertificateAndKey | null {
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)
  return key === null || certificate === null ? null : { key: key[0], certificate: certificate[0] }
}

function isGood(parts: CertificateAndKey, hostname: string, nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(parts.certificate)
    return (
      certificate.checkHost(hostname) !== undefined &&
      nowMs >= Date.parse(certificate.validFrom) &&
      nowMs < Date.parse(certificate.validTo) - renewBeforeMs
    )
  } catch {
    return false
  }
}
