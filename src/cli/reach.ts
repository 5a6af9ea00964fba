/**
 * Finds the server that a command is about: the one of `--config`, of `posthorn.toml` in the current folder, or the Lab
 * that this user has running. A process that owns the data folder is asked through its control socket; when nobody owns
 * it, the store is opened here and the same admin API is called in this process.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../base/config.ts'
import type { ReadyLine } from '../daemon/ready-line.ts'
import { AdminDoor, directTransport, NobodyThere, socketTransport } from './admin-door.ts'
import { becomeOwner } from './become-owner.ts'
import { CliError, exitCodes } from './cli-error.ts'

export interface ReachOptions {
  readonly config?: string
  /** The running Lab, whatever is in the current folder. */
  readonly lab?: boolean
  /** When nobody owns the data folder, root becomes its owner before it is opened. */
  readonly asOwner?: boolean
}

export interface Reached {
  /** One server, or the Lab's two. */
  readonly doors: readonly AdminDoor[]
  readonly lab: ReadyLine | null
  /** The Lab around its servers. */
  readonly itself?: AdminDoor
  /** Lets go of the store if it was opened here. */
  close(): Promise<void>
}

export const defaultConfigFile = 'posthorn.toml'

/** @returns Null when neither is there: a running Lab may be meant. */
export function findConfigFile(options: ReachOptions, folder = process.cwd()): string | null {
  if (options.config !== undefined) return resolve(folder, options.config)
  const file = resolve(folder, defaultConfigFile)
  return existsSync(file) ? file : null
}

/** @throws {CliError} @throws {ConfigError} */
export async function reach(options: ReachOptions): Promise<Reached> {
  const file = options.lab === true ? null : findConfigFile(options)
  if (file !== null) {
    const { loadConfig } = await import('../daemon/load-config.ts')
    return reachServer((await loadConfig(file)).config, options.asOwner === true)
  }
  const lab = await reachLab()
  if (lab !== null) return lab
  throw new CliError(
    exitCodes.notFound,
    options.lab === true
      ? 'No Lab is running'
      : `There is no ${defaultConfigFile} here, and no Lab is running`,
    'Name a configuration with --config FILE, or start the Lab: posthorn lab.',
    { code: 'no-server' },
  )
}

/** Runs a command against the server it is about, and lets go of the store whatever happens. */
export async function withServer<T>(
  options: ReachOptions,
  run: (reached: Reached) => Promise<T>,
): Promise<T> {
  const reached = await reach(options)
  try {
    return await run(reached)
  } finally {
    await reached.close()
  }
}

/** While another command holds the folder, which takes moments, this is how long we wait for it. */
const patienceMs = 5_000
const lookAgainMs = 100

async function reachServer(config: Config, asOwner: boolean): Promise<Reached> {
  const { controlPath } = await import('../daemon/control-path.ts')
  const running = new AdminDoor('', true, socketTransport(controlPath(config.data)))
  for (let waitedMs = 0; ; waitedMs += lookAgainMs) {
    try {
      await running.call('GET', '/v1/status')
      return { doors: [running], lab: null, close: async () => {} }
    } catch (error) {
      if (!(error instanceof NobodyThere)) throw error
    }
    if (asOwner) await becomeOwner(config.data)
    const { openDirectly } = await import('./open-directly.ts')
    const opened = await openDirectly(config, waitedMs < patienceMs)
    if (opened !== null) {
      return {
        doors: [new AdminDoor('', false, directTransport(opened.app))],
        lab: null,
        close: opened.close,
      }
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
}

/** @returns Null when none runs. */
export async function reachLab(): Promise<Reached | null> {
  const { findRunningLab } = await import('../lab/running-lab.ts')
  const lab = await findRunningLab()
  if (lab?.control === undefined) return null
  const path = lab.control
  return {
    doors: lab.servers.map(({ domain }) => new AdminDoor(domain, true, socketTransport(path, `/${domain}`))),
    lab,
    itself: new AdminDoor('', true, socketTransport(path)),
    close: async () => {},
  }
}

/** The server whose domain an address is of. @throws {CliError} */
export function doorFor(reached: Reached, address: string): AdminDoor {
  const [only] = reached.doors
  if (only !== undefined && reached.doors.length === 1) return only
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase()
  const door = reached.doors.find(({ name }) => name === domain)
  if (door !== undefined) return door
  const names = reached.doors.map(({ name }) => name).join(' and ')
  throw new CliError(exitCodes.notFound, `${domain} is not a domain of the Lab`, `The Lab has ${names}.`)
}
