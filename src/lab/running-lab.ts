/**
 * How commands without `--config` find the Lab that this user has running: it leaves its ready line in a folder that is
 * this user's alone. The newest Lab is the one that is found.
 */
import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadyLine } from '../daemon/ready-line.ts'
import { personalFolder } from '../daemon/control-path.ts'
import { StartError } from '../daemon/start-error.ts'

/** `$XDG_RUNTIME_DIR/posthorn-lab-UID/ready.json`, else in the folder for temporary files. */
function readyFile(): string {
  return join(personalFolder('lab'), 'ready.json')
}

/** @returns Takes the announcement back, unless another Lab has replaced it. */
export async function announceLab(line: ReadyLine): Promise<() => Promise<void>> {
  const file = readyFile()
  await mkdir(personalFolder('lab'), { recursive: true, mode: 0o700 })
  if (!(await isOurs(personalFolder('lab')))) {
    const remedy = 'Remove it, or set XDG_RUNTIME_DIR to a folder of yours.'
    throw new StartError(`${personalFolder('lab')} belongs to another user`, remedy)
  }
  const part = `${file}.${process.pid}.part`
  await writeFile(part, JSON.stringify(line), { mode: 0o600 })
  await rename(part, file)
  return async () => {
    const announced = await read(file)
    if (announced?.control === line.control) await rm(file, { force: true })
  }
}

/** @returns Null when none runs; what one that died has left is removed. */
export async function findRunningLab(): Promise<ReadyLine | null> {
  const file = readyFile()
  // Passwords are typed into what is announced here, so nobody else may announce it.
  if (!(await isOurs(personalFolder('lab')))) return null
  const line = await read(file)
  if (line === null) return null
  if (isAlive(line.pid) && (line.control === undefined || (await exists(line.control)))) return line
  await rm(file, { force: true })
  return null
}

async function read(file: string): Promise<ReadyLine | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ReadyLine
  } catch {
    return null
  }
}

async function isOurs(folder: string): Promise<boolean> {
  try {
    const facts = await lstat(folder)
    return facts.isDirectory() && (process.getuid === undefined || facts.uid === process.getuid())
  } catch {
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, but another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
