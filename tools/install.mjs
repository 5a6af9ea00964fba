/**
 * Brings node_modules in line with package-lock.json, if it is not already, and finds the runtime.
 *
 * Runs under the machine's own Node.js, 20 or newer. No install script of any package is run: the lockfile has
 * none, and `npm run check` keeps it so.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findRuntime, missingRuntime } from '../bin/runtime.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.posthorn-lock')

/**
 * Installs what package-lock.json names, once.
 *
 * @param options.silent Say nothing while installing.
 * @returns The path of the runtime. Ends the process with a message when there is none or npm fails.
 */
export function ensureInstalled(options = {}) {
  if (!isInstalled()) withLock(() => isInstalled() || install(options.silent === true))
  const runtime = findRuntime()
  if (runtime === null) fail(missingRuntime())
  return runtime
}

function isInstalled() {
  const lockfile = readFileSync(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lockfile).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return true
  // Somebody may have called npm themselves; npm notes in a lockfile of its own what it has put there.
  if (!holdsEverything(JSON.parse(lockfile.toString('utf8')))) return false
  writeFileSync(stampFile, hash)
  return true
}

function holdsEverything(lockfile) {
  const hiddenFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hiddenFile)) return false
  const present = JSON.parse(readFileSync(hiddenFile, 'utf8')).packages
  return Object.entries(lockfile.packages).every(([path, wanted]) => {
    if (path === '' || !isForThisMachine(wanted)) return true
    const found = present[path]
    return found !== undefined && found.version === wanted.version && found.integrity === wanted.integrity
  })
}

/** Optional packages for other systems are in the lockfile and rightly absent from node_modules. */
function isForThisMachine(entry) {
  if (entry.optional !== true && entry.devOptional !== true) return true
  const admits = (list, value) => list === undefined || [list].flat().includes(value)
  const libc = process.platform !== 'linux' || admits(entry.libc, hasGlibc() ? 'glibc' : 'musl')
  return admits(entry.os, process.platform) && admits(entry.cpu, process.arch) && libc
}

function hasGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

function install(silent) {
  if (!silent) process.stderr.write('posthorn: installing npm packages (once; under a minute) ...\n')
  // Inside `npm test` the running npm is known; else the one in PATH.
  const [program, first] = process.env.npm_execpath?.endsWith('.js')
    ? [process.execPath, [process.env.npm_execpath]]
    : ['npm', []]
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=dev', '--include=optional']
  const result = spawnSync(program, [...first, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (result.error !== undefined || result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    fail(
      `posthorn: npm ci failed (${result.error?.message ?? `exit code ${result.status}`}); it needs npm and the network`,
    )
  }
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  writeFileSync(stampFile, hash)
  const runtime = findRuntime()
  // Nothing depends on it: whatever goes wrong, the first start is only slower.
  if (runtime !== null) spawnSync(runtime, [join(root, 'tools', 'warm.mjs')], { stdio: 'ignore' })
  return true
}

/** Two commands started at once in a fresh checkout: the second waits until the first has installed. */
function withLock(work) {
  const lock = join(root, '.cache', 'install.lock')
  mkdirSync(dirname(lock), { recursive: true })
  while (true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!isHeld(lock)) rmSync(lock, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isHeld(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    return pid === 0 || process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
