/** Where the server's certificates come from, and what minds them while it runs. */
import { statSync, type Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Config } from '../base/config.ts'
import type { World } from './world.ts'
import { expiryNotice } from '../tls/certificate-facts.ts'
import type { CertificateSet, ReloadableServerTls } from '../tls/server-tls.ts'
import { StartError } from './start-error.ts'

/**
 * Reads what the configuration names; without any, takes the self-made certificate from the data folder or makes it.
 *
 * @param read What `readCertificates` gave, when that has been called already.
 * @throws {StartError} A file cannot be read.
 */
export async function loadCertificates(
  config: Config,
  world: World,
  read?: CertificateSet,
): Promise<CertificateSet> {
  if (world.certificate !== undefined) return { certificates: [world.certificate], clientCa: null }
  const named = read ?? (await readCertificates(config))
  if (named.certificates.length > 0) return named
  const { loadOrMakeCertificate } = await import('../tls/self-made.ts')
  const made = await loadOrMakeCertificate(config.data, config.hostname, world.clock, world.random)
  return { ...named, certificates: [made] }
}

/** Only what the configuration names, perhaps nothing: with the rights of before the data folder is touched. @throws {StartError} */
export async function readCertificates({ tls }: Config): Promise<CertificateSet> {
  const certificates = tls.certificates.map(async (files) => ({
    certificate: await readPem(files.certificate),
    key: await readPem(files.key),
  }))
  return {
    certificates: await Promise.all(certificates),
    clientCa: tls.clientCa === null ? null : await readPem(tls.clientCa),
  }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    const remedy = 'Look at [tls] in the configuration, and at the rights of that file.'
    throw new StartError(`Cannot read ${file}: ${(error as Error).message}`, remedy, { cause: error })
  }
}

/** How often the log is told of a certificate that is about to end; the self-made one is renewed then too. */
const noticeEveryMs = 24 * 3_600_000

export interface KeptCertificates {
  readonly tls: ReloadableServerTls
  readonly world: World
  /** The one in force: it may be another after a reload. */
  config(): Config
}

/**
 * Looks at the files every `limits.certificateCheckMs` and uses what changed; as long as they cannot be used, what was
 * read before stays, and the log says so once for each change.
 *
 * @returns Ends it.
 */
export function keepCertificates(kept: KeptCertificates): () => void {
  const { tls, world, config } = kept
  const { clock, log } = world
  let cancel = (): void => {}
  let ended = false
  let used = stateOf(config())
  let complainedOf: string | null = null
  let noticedAt = clock.monotonicUs()

  async function look(): Promise<void> {
    const state = stateOf(config())
    const isNoticeDue = clock.monotonicUs() - noticedAt >= noticeEveryMs * 1_000
    if (isNoticeDue) noticedAt = clock.monotonicUs()
    const isSelfMade = config().tls.certificates.length === 0
    if (state !== used || (isNoticeDue && isSelfMade)) await replace(state)
    if (isNoticeDue) noteExpiry(kept)
  }

  async function replace(state: string): Promise<void> {
    try {
      tls.replace(await loadCertificates(config(), world))
      if (state !== used) log.info('the TLS certificates changed and are in use')
      used = state
      complainedOf = null
    } catch (error) {
      if (complainedOf !== state) log.error('the TLS certificates stay as they were', { error })
      complainedOf = state
    }
  }

  function schedule(): void {
    cancel = clock.after(config().limits.certificateCheckMs, () => {
      look()
        .catch((error: unknown) => log.error('the TLS certificates cannot be looked at', { error }))
        .finally(() => {
          if (!ended) schedule()
        })
    })
  }

  noteExpiry(kept)
  schedule()
  return () => {
    ended = true
    cancel()
  }
}

/** Says in the log which certificate is about to end, or has. */
function noteExpiry({ tls, world }: KeptCertificates): void {
  for (const facts of tls.certificates) {
    const notice = expiryNotice(facts, world.clock.now())
    if (notice === null) continue
    const expiresAt = new Date(facts.expiresAt).toISOString()
    world.log[notice.level](notice.text, { names: facts.names, expiresAt })
  }
}

/** Changes when a file does. One that is missing has a state too. Some microseconds a file. */
function stateOf({ tls }: Config): string {
  const files = tls.certificates.flatMap(({ certificate, key }) => [certificate, key])
  if (tls.clientCa !== null) files.push(tls.clientCa)
  return files.map((file) => `${file} ${describe(file)}`).join('\n')
}

function describe(file: string): string {
  let facts: Stats | undefined
  try {
    facts = statSync(file, { throwIfNoEntry: false })
  } catch {
    return 'unreadable'
  }
  return facts === undefined ? 'none' : `${facts.mtimeMs} ${facts.size} ${facts.ino}`
}
