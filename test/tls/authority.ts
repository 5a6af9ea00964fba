/** Certificates for tests, made by openssl: an authority of people, and one person's certificate by it. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface People {
  /** Paths of `ca.pem`, and of `NAME.pem` and `NAME.key` of each person. */
  file(name: string): string
  read(name: string): Promise<string>
  openssl(...args: string[]): ReturnType<typeof run>
}

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** @param people What stands in the subjectAltName of each, by name; null: signed by itself, with the address as CN. */
export async function makePeople(folder: string, people: Record<string, string | null>): Promise<People> {
  const openssl = (...args: string[]) => {
    const running = run('openssl', args, { cwd: folder, timeout: 30_000 })
    running.child.stdin?.end()
    return running
  }
  const selfSigned = ['req', '-x509', ...key, '-days', '9']
  await openssl(...selfSigned, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=People')
  const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '9']
  for (const [name, alternative] of Object.entries(people)) {
    const files = ['-keyout', `${name}.key`]
    if (alternative === null) {
      await openssl(...selfSigned, ...files, '-out', `${name}.pem`, '-subj', `/CN=${name}@one.example`)
      continue
    }
    await writeFile(join(folder, 'ext'), `subjectAltName=${alternative}\nextendedKeyUsage=clientAuth\n`)
    await openssl('req', ...key, ...files, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    await openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-extfile', 'ext', '-out', `${name}.pem`)
  }
  const file = (name: string): string => join(folder, name)
  return { file, openssl, read: (name) => readFile(file(name), 'latin1') }
}
