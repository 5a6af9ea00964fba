/**
 * Gives up root for good: the ports are bound and the keys are read, and from here on nobody who gets hold of this process
 * gets hold of the machine.
 */
import { chown, mkdir, stat } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import type { ProcessConfig } from '../base/config.ts'
import { StartError } from './start-error.ts'

/** What to tell somebody who runs a server as root and has not said that it is meant: docs/decisions/191. */
export function warningOfRoot({ user }: ProcessConfig): string | null {
  if (user !== null || process.getuid?.() !== 0) return null
  return (
    'This server stays root, which it need not: add [process] and user = "posthorn" to the configuration (useradd ' +
    '--system posthorn makes one); user = "root" says that it is meant'
  )
}

/** What the system calls a user. */
export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Who the server is to be; null: whoever it is already. @throws {StartError} */
export function userToBecome({ user, group }: ProcessConfig): SystemUser | null {
  const own = process.getuid?.()
  if (own === undefined) return null
  if (user === null) return null
  const wanted = findUser(user, group)
  if (own !== 0 && wanted.uid !== own && wanted.uid !== 0) {
    throw new StartError(
      `This server runs as uid ${own} and cannot become ${user}`,
      `Start it as root or as ${user}, or leave process.user out.`,
    )
  }
  return own === 0 && wanted.uid !== 0 ? wanted : null
}

/** As getpwnam and getgrnam do it for local users: /etc/passwd and /etc/group. */
function findUser(name: string, group: string | null): SystemUser {
  const row = findRow('/etc/passwd', name)
  if (row === null) {
    const remedy = `Make it: useradd --system --shell /usr/sbin/nologin ${name}; or write another.`
    throw new StartError(`There is no user ${name} on this machine`, remedy)
  }
  const groupRow = group === null ? null : findRow('/etc/group', group)
  if (group !== null && groupRow === null) {
    throw new StartError(`There is no group ${group} on this machine`, `Make it: groupadd --system ${group}.`)
  }
  return { name, uid: Number(row[2]), gid: Number(groupRow?.[2] ?? row[3]) }
}

function findRow(file: string, name: string): string[] | null {
  const rows = readFileSync(file, 'utf8').split('\n')
  return rows.map((row) => row.split(':')).find(([first]) => first === name) ?? null
}

/**
 * Sees that the data folder is the user's: made for it when it is missing, never given away when it is somebody else's.
 *
 * @throws {StartError}
 */
export async function prepareDataFolder(folder: string, user: SystemUser): Promise<void> {
  const facts = await stat(folder).catch(() => null)
  if (facts === null) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chown(folder, user.uid, user.gid)
    return
  }
  if (facts.uid === user.uid) return
  throw new StartError(
    `The data folder ${folder} belongs to uid ${facts.uid} and not to ${user.name}`,
    `Look whether it is the right one, then: chown -R ${user.name}: ${folder}`,
  )
}

/** @throws {StartError} The system let us become another only in part: nothing must run like that. */
export function becomeUser({ name, uid, gid }: SystemUser): void {
  try {
    // Groups first: afterwards there is no right to change them.
    initGroups(name, gid)
    process.setgid!(gid)
    process.setuid!(uid)
  } catch (error) {
    throw new StartError(`Cannot become ${name}: ${(error as Error).message}`, 'Start it as root.', {
      cause: error,
    })
  }
  const ids = [process.getuid!(), process.geteuid!(), process.getgid!(), process.getegid!()]
  const isOnly = ids.join() === [uid, uid, gid, gid].join() && !process.getgroups!().includes(0)
  if (!isOnly || canReturn()) {
    throw new StartError(`Became ${name}, but root could be had back`, 'Do not run it like this; report it.')
  }
}

/** Node has it, its types do not. */
function initGroups(user: string, gid: number): void {
  const { initgroups } = process as unknown as { initgroups(user: string, gid: number): void }
  initgroups.call(process, user, gid)
}

/** The real test of having let go: trying to have it back. */
function canReturn(): boolean {
  try {
    process.setuid!(0)
    return true
  } catch {
    return false
  }
}
