import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Surroundings } from '../base/dialler.ts'
import { type CertificateAndKey, makeAuthority } from '../tls/certificate.ts'

export interface LabAuthority extends CertificateAndKey {
  readonly name: string
  /** Its certificate, for programs that are to trust the Lab. */
  readonly file: string
}

const name = 'Posthorn Lab CA'

/** The Lab's own certificate authority; a kept folder keeps it, so that what trusts it need not be told again. */
export async function loadOrMakeLabAuthority(
  folder: string,
  { clock, random }: Surroundings,
): Promise<LabAuthority> {
  const file = join(folder, 'ca.pem')
  const keyFile = join(folder, 'ca-key.pem')
  try {
    return { name, file, certificate: await readFile(file, 'latin1'), key: await readFile(keyFile, 'latin1') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const made = makeAuthority(name, { nowMs: clock.now(), random })
  // The certificate last: it says that both are there.
  await writeFile(keyFile, made.key, { mode: 0o600 })
  await writeFile(file, made.certificate)
  return { name, file, ...made }
}
