/**
 * Starts the Lab once, in a folder of its own, and stops it as soon as it is ready: what V8 makes of our sources is kept
 * in the launcher's cache, so that the first server somebody starts is as quick and as small as all later ones.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TIMEOUT_MS = 20_000

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'posthorn-warm-'))
const environment = { ...process.env, HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder }
const args = [join(root, 'bin', 'posthorn'), 'lab', '--json', '--ports', '0']
const lab = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', 'ignore'] })
const late = setTimeout(() => lab.kill('SIGKILL'), TIMEOUT_MS)
lab.stdout.on('data', (chunk) => {
  if (String(chunk).includes('"ready"')) lab.kill('SIGTERM')
})
lab.on('error', () => {})
lab.on('close', () => {
  clearTimeout(late)
  rmSync(folder, { recursive: true, force: true })
})
