/**
 * System programs for suites that test against other people's software.
 *
 * Clients and tools are used when the machine has them and installed when that is allowed (CI=true or
 * `npm test -- --install`). Mail servers are never installed, because they open ports and conflict with each
 * other: their packages are unpacked under .cache/ and started from there. Whatever could not run is written to
 * the file that POSTHORN_SKIPPED names, and `npm test` says so in its last lines.
 */
import { execFile } from 'node:child_process'
import { accessSync, appendFileSync, constants, existsSync, mkdirSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { withFileLock } from './file-lock.ts'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '..', '..', '.cache')
const POLICY = '/usr/sbin/policy-rc.d'
const UPDATE_VALID_MS = 6 * 3600_000

/** Whether this run may install or download system software. */
export const mayInstall = process.env['CI'] === 'true' || process.env['POSTHORN_INSTALL'] === '1'

/**
 * Sees to it that programs are there.
 *
 * @param wanted For each program, as found in PATH or given as an absolute path, the Debian package that holds it.
 * @param t Is skipped, loudly, when a program is missing and may not or cannot be installed.
 * @returns Whether all are there; when false, return from the test.
 */
export async function requirePrograms(
  wanted: { debian: Record<string, string> },
  t: TestContext,
): Promise<boolean> {
  const missing = (): string[] =>
    Object.keys(wanted.debian).filter((program) => findProgram(program) === null)
  let reason = ''
  if (missing().length > 0 && mayInstall) {
    const packages = new Set(missing().map((program) => wanted.debian[program]!))
    reason = await install([...packages]).then(() => '', describe)
  }
  if (missing().length === 0) return true
  skipLoudly(t, `${basename(t.filePath ?? t.name)} needs ${missing().join(', ')}${reason}`)
  return false
}

/** Skips a test and has it mentioned at the end of the run, which with CI=true then fails. */
export function skipLoudly(t: TestContext, reason: string): void {
  const file = process.env['POSTHORN_SKIPPED']
  if (file !== undefined) appendFileSync(file, `${reason}\n`)
  t.skip(reason)
}

/** The path of a program in PATH, or null. Servers are often in sbin, which a user's PATH may lack. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  const candidates = name.startsWith('/') ? [name] : folders.map((folder) => join(folder, name))
  return (
    candidates.find((path) => isThere(path, name.startsWith('/') ? constants.R_OK : constants.X_OK)) ?? null
  )
}

/** What is named by its whole path may also be a module that a program loads. */
function isThere(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/**
 * Downloads Debian packages with what they depend on and the machine lacks, and unpacks them, uninstalled.
 *
 * @param name Folder under .cache/, one for each set of packages.
 * @param t Is skipped, loudly, when the folder is not there yet and may not or cannot be made.
 * @returns The folder that stands for `/`; null when skipped. Start programs with `unpackedEnvironment`.
 */
export async function unpackServer(name: string, packages: string[], t: TestContext): Promise<string | null> {
  const root = join(cache, name)
  const stamp = join(root, '.packages')
  const isThere = async (): Promise<boolean> =>
    (await readFile(stamp, 'utf8').catch(() => '')) === packages.join(' ')
  if (await isThere()) return root
  if (!mayInstall) {
    skipLoudly(t, `${basename(t.filePath ?? t.name)} needs ${name} unpacked under .cache`)
    return null
  }
  try {
    await withAptLock(async () => {
      if (!(await isThere())) await unpack(root, packages)
    })
    return root
  } catch (error) {
    skipLoudly(t, `${basename(t.filePath ?? t.name)} needs ${name}${describe(error)}`)
    return null
  }
}

/** Variables under which programs below an unpacked root find their libraries and each other. */
export function unpackedEnvironment(root: string): Record<string, string> {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const libraries = [`usr/lib/${triplet}`, `lib/${triplet}`, 'usr/lib', 'usr/lib/postfix', 'usr/lib/dovecot']
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin']
  const below = (folders: string[]): string => folders.map((folder) => join(root, folder)).join(':')
  return {
    LD_LIBRARY_PATH: [below(libraries), process.env['LD_LIBRARY_PATH'] ?? []].flat().join(':'),
    PATH: `${below(programs)}:${process.env['PATH'] ?? ''}`,
  }
}

async function unpack(root: string, packages: string[]): Promise<void> {
  await updateLists()
  const names = [...new Set([...packages, ...(await lackingPackages(packages))])]
  const [downloads, fresh] = [`${root}.debs`, `${root}.new`]
  for (const folder of [downloads, fresh]) {
    await rm(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
  }
  await run('apt-get', ['-o', 'APT::Sandbox::User=', 'download', ...names], { cwd: downloads })
  for (const file of await readdir(downloads)) await run('dpkg', ['-x', join(downloads, file), fresh])
  await writeFile(join(fresh, '.packages'), packages.join(' '))
  await rm(root, { recursive: true, force: true })
  await rename(fresh, root)
  await rm(downloads, { recursive: true, force: true })
}

/** What an installation would add to this machine, asked without doing it. */
async function lackingPackages(packages: string[]): Promise<string[]> {
  const { stdout } = await run('apt-get', ['--simulate', 'install', '--no-install-recommends', ...packages])
  return [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]!)
}

/** Installs packages; nothing among them is started. */
async function install(packages: string[]): Promise<void> {
  await withAptLock(async () => {
    await updateLists()
    await withoutStartingServices(() =>
      asRoot([
        'apt-get',
        '-o',
        'DPkg::Lock::Timeout=300',
        'install',
        '-y',
        '--no-install-recommends',
        ...packages,
      ]),
    )
  })
}

/** Renews apt's lists once for a run of `npm test`; without a run, when they are hours old. */
async function updateLists(): Promise<void> {
  const skippedFile = process.env['POSTHORN_SKIPPED']
  const stamp = join(skippedFile === undefined ? cache : dirname(skippedFile), 'apt-updated')
  const updatedAt = (await stat(stamp).catch(() => null))?.mtimeMs ?? 0
  if (Date.now() - updatedAt < UPDATE_VALID_MS) return
  await asRoot(['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update'])
  await writeFile(stamp, '')
}

/** Debian asks policy-rc.d before it starts a service after installing it; 101 means no. */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work()
  await asRoot(['sh', '-c', `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`])
  try {
    await work()
  } finally {
    await asRoot(['rm', '-f', POLICY])
  }
}

async function asRoot(command: string[]): Promise<void> {
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const [program, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command]
  await run(program!, args, { maxBuffer: 64 << 20 })
}

/** Test files run in parallel processes, apt does not. */
function withAptLock(work: () => Promise<void>): Promise<void> {
  mkdirSync(cache, { recursive: true })
  return withFileLock(join(cache, 'apt.lock'), work)
}

function describe(error: unknown): string {
  const text =
    error instanceof Error ? ((error as Error & { stderr?: string }).stderr ?? error.message) : String(error)
  return ` (${text.trim().split('\n').at(-1)})`
}
