import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What fits into sun_path with its final NUL: 104 octets on macOS, 108 on Linux. */
const socketPathOctets = 103

/**
 * Folder for what one user's processes find each other by.
 *
 * @param purpose Part of its name.
 */
export function personalFolder(purpose: string, environment: NodeJS.ProcessEnv = process.env): string {
  const runtime = environment['XDG_RUNTIME_DIR']
  const base = runtime !== undefined && runtime !== '' ? runtime : tmpdir()
  return join(base, `posthorn-${purpose}-${process.getuid?.() ?? 0}`)
}

/**
 * Where the control socket of a data folder is: in it, unless its path is too long for a socket. Then a short one is made
 * from the folder's name, the same for whoever asks.
 */
export function controlPath(dataFolder: string): string {
  const path = join(dataFolder, 'control.sock')
  if (Buffer.byteLength(path) <= socketPathOctets) return path
  const digest = createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)
  return join(personalFolder('control'), `${digest}.sock`)
}
