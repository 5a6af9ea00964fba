/** Debian's OpenDKIM, and a milter of our own on Debian's libmilter, unpacked and never installed. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { MilterConfig } from '../../src/base/filter-config.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { SmtpFilter } from '../../src/smtp/filter/filter.ts'
import { testSurroundings } from '../../src/smtp/filter/filter-fixture.ts'
import { KeeperPool } from '../../src/smtp/filter/keeper.ts'
import { createMilterFilter } from '../../src/smtp/filter/milter/filter.ts'
import { freePort, waitForPort } from './ports.ts'
import { type RunningProcess, startProcess } from './process.ts'
import { requirePrograms, unpackedEnvironment, unpackServer } from './programs.ts'

const packages = ['opendkim', 'python3-milter']

export interface TestMilter {
  readonly filter: SmtpFilter
  readonly process: RunningProcess
  /** On loopback. */
  readonly port: number
}

/** @returns Null when the test has been skipped. */
export async function startObedientMilter(t: TestContext): Promise<TestMilter | null> {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return null
  const root = await unpackServer('milter', packages, t)
  if (root === null) return null
  const port = await freePort()
  const program = join(import.meta.dirname, '..', 'system', 'milter', 'filter.py')
  const process = startProcess(t, 'python3', [program, `inet:${port}@127.0.0.1`], {
    env: { ...unpackedEnvironment(root), PYTHONPATH: join(root, 'usr/lib/python3/dist-packages') },
  })
  return { filter: await filterAt(port, 'obedient'), process, port }
}

export interface DkimMilters {
  readonly signer: SmtpFilter
  readonly verifier: SmtpFilter
}

/** One OpenDKIM that signs for a domain and another one that verifies, which knows the key from a file. */
export async function startOpenDkim(
  t: TestContext,
  folder: string,
  domain: string,
): Promise<DkimMilters | null> {
  const root = await unpackServer('milter', packages, t)
  if (root === null) return null
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const key = join(folder, 'dkim.pem')
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const p = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  writeFileSync(join(folder, 'keys'), `test._domainkey.${domain} v=DKIM1; k=rsa; p=${p}\n`)
  const start = (name: string, settings: string): Promise<SmtpFilter> =>
    startOpenDkimWith(t, root, folder, name, settings)
  const signing = `Mode s\nDomain ${domain}\nSelector test\nKeyFile ${key}\nInternalHosts 127.0.0.1\n`
  return {
    signer: await start('signer', `${signing}Canonicalization simple/simple\n`),
    verifier: await start(
      'verifier',
      `Mode v\nTestPublicKeys ${join(folder, 'keys')}\nInternalHosts 192.0.2.1\n`,
    ),
  }
}

/** OpenDKIM that verifies, with keys by name, `2026a-rsa._domainkey.crepes.example`, instead of DNS. */
export async function startOpenDkimVerifier(
  t: TestContext,
  folder: string,
  keys: Readonly<Record<string, string>>,
): Promise<SmtpFilter | null> {
  const root = await unpackServer('milter', packages, t)
  if (root === null) return null
  const file = join(folder, 'known-keys')
  const lines = Object.entries(keys).map(([name, record]) => `${name} ${record}\n`)
  writeFileSync(file, lines.join(''))
  return startOpenDkimWith(
    t,
    root,
    folder,
    'judge',
    `Mode v\nTestPublicKeys ${file}\nInternalHosts 192.0.2.1\n`,
  )
}

async function startOpenDkimWith(
  t: TestContext,
  root: string,
  folder: string,
  name: string,
  settings: string,
): Promise<SmtpFilter> {
  const port = await freePort()
  const file = join(folder, `${name}.conf`)
  writeFileSync(
    file,
    `${settings}Socket inet:${port}@127.0.0.1\nBackground no\nRequireSafeKeys no\nAuthservID mx.posthorn.example\n`,
  )
  const program = join(root, 'usr/sbin/opendkim')
  startProcess(t, program, ['-f', '-x', file], { env: unpackedEnvironment(root) })
  return filterAt(port, name)
}

async function filterAt(port: number, name: string): Promise<SmtpFilter> {
  await waitForPort(port)
  const config: MilterConfig = {
    name,
    doors: ['smtp', 'submission'],
    place: { kind: 'inet', host: '127.0.0.1', port },
    onFailure: 'tempfail',
    maxOctets: 10_000_000,
    connectTimeoutMs: 10_000,
    commandTimeoutMs: 10_000,
    contentTimeoutMs: 20_000,
  }
  return createMilterFilter(config, defaultLimits, testSurroundings(), new KeeperPool(100_000_000))
}
