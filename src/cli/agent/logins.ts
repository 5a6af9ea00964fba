/** Whose mail the user agent works on: a saved log-in, or an account of a Lab that runs on this machine. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { AgentError } from './mail-agent.ts'

export interface ServerDoor {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** The name its certificate must have. */
  readonly serverName: string
}

export interface Login {
  readonly address: string
  readonly password: string
  readonly submission: ServerDoor
  readonly imap: ServerDoor
  /** File of a CA that is trusted too: the Lab's. */
  readonly ca: string | null
}

interface LoginFile {
  version: 1
  /** Address used when none is named. */
  current: string | null
  logins: Login[]
}

/** $XDG_CONFIG_HOME/posthorn/logins.json, readable by its owner only: it holds passwords. */
function loginFilePath(): string {
  const base = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
  return join(base, 'posthorn', 'logins.json')
}

function readLoginFile(): LoginFile {
  try {
    return JSON.parse(readFileSync(loginFilePath(), 'utf8')) as LoginFile
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, current: null, logins: [] }
    throw new AgentError('usage', `Cannot read ${loginFilePath()}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function writeLoginFile(file: LoginFile): void {
  const path = loginFilePath()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
}

/** Keeps a log-in and makes it the one that is used when none is named. */
export function saveLogin(login: Login): void {
  const file = readLoginFile()
  const others = file.logins.filter((other) => other.address !== login.address)
  writeLoginFile({ version: 1, current: login.address, logins: [...others, login] })
}

/** @returns False when there was none. */
export function forgetLogin(address: string): boolean {
  const file = readLoginFile()
  const logins = file.logins.filter((login) => login.address !== address)
  if (logins.length === file.logins.length) return false
  writeLoginFile({ version: 1, current: logins[0]?.address ?? null, logins })
  return true
}

/**
 * The log-in to use.
 *
 * @param wanted Address, or a local part that only one account has; null: the saved current one, else the Lab's first.
 * @param lab Accounts of a running Lab; empty when none runs.
 * @throws {AgentError} `usage` when there is none to use; the text says what to do.
 */
export function chooseLogin(wanted: string | null, lab: readonly Login[]): Login {
  const file = readLoginFile()
  const all = [...file.logins, ...lab]
  if (wanted === null) {
    const chosen = file.logins.find((login) => login.address === file.current) ?? all[0]
    if (chosen !== undefined) return chosen
    throw new AgentError(
      'usage',
      'Nobody is logged in. Start a Lab (npm start), or say "posthorn login you@your.domain"',
    )
  }
  const lower = wanted.toLowerCase()
  const exact = all.filter((login) => login.address === lower)
  const found = exact.length > 0 ? exact : all.filter((login) => login.address.startsWith(`${lower}@`))
  if (found.length === 1 || exact.length > 0) return found[0]!
  if (found.length > 1)
    throw new AgentError('usage', `Several accounts are called ${wanted}: write the whole address`)
  const known = all.map((login) => login.address).join(', ') || 'none'
  throw new AgentError(
    'usage',
    `Cannot use ${wanted}: no such log-in (known: ${known}); say "posthorn login ${wanted}"`,
  )
}
