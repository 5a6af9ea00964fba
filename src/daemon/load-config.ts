/** Reads the configuration file into a `Config`, or says what is wrong with it, where, and what to write instead. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { domainToASCII } from 'node:url'
import { parse, TomlError } from 'smol-toml'
import type { Config, DoorName, Endpoint } from '../base/config.ts'
import { doorNames } from '../base/config.ts'
import { defaultLimits, type Limits, limitsThatMayBeZero } from '../base/limits.ts'
import { readGuards } from './config/guards.ts'
import { readRejects } from './config/rejects.ts'
import { readReports } from './config/reports.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigSource, ConfigTable } from './config-table.ts'
import { readChecks } from './config/checks.ts'
import { readForwarding } from './config/forwarding.ts'
import { readFilters } from './config/filters.ts'
import { readQueue } from './config/queue.ts'
import { readProcess } from './config/process.ts'
import { readTls } from './config/tls.ts'
import { readSmtp } from './config/smtp.ts'
import { indexPositions } from './toml-position.ts'

export interface LoadedConfig {
  readonly config: Config
  /** What does not stop a server but should be known, a sentence each. */
  readonly warnings: readonly string[]
}

/** Doors of the design that are not built yet: named in a file, they are passed over with a warning. */
const futureDoors = ['sieve', 'https']

/** @throws {ConfigError} */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const problem =
      code === 'ENOENT' ? 'There is no such file' : `Cannot read the file: ${(error as Error).message}`
    const remedy = 'Name the configuration with --config FILE, or write one: docs/operating.md shows how.'
    throw new ConfigError({ file: path, line: 0, column: 0 }, problem, remedy, { cause: error })
  }
  return parseConfig(text, path)
}

/** @param file Absolute; paths in the text are relative to its folder. @throws {ConfigError} */
export function parseConfig(text: string, file: string): LoadedConfig {
  const source: ConfigSource = { file, place: indexPositionsLazily(text) }
  const root = new ConfigTable(source, [], parseToml(text, file))
  const folder = dirname(file)
  const warnings: string[] = []

  const hostname = readHostname(root)
  const { queue, limits: queueLimits } = readQueue(root.table('queue'))
  const listen = root.table('listen')
  const config: Config = {
    hostname,
    data: resolve(folder, root.string('data') ?? 'data'),
    listen: readListen(listen, warnings),
    health: { http: listen.endpoints('http') ?? [], metrics: listen.endpoints('metrics') ?? [] },
    tls: readTls(root.table('tls'), folder),
    process: readProcess(root.table('process')),
    auth: readAuth(root.table('auth')),
    dns: readDns(root.table('dns')),
    routes: readRoutes(root.table('routes')),
    smtp: readSmtp(root.table('smtp')),
    guards: readGuards(root.table('guards'), readDomain),
    outgoing: readOutgoing(root.table('outgoing')),
    log: readLevel(root.table('log'), ['debug', 'info', 'warn', 'error'], 'info'),
    journey: readLevel(root.table('journey'), ['full', 'envelope', 'facts', 'off'], 'full'),
    search: readSearch(root.table('search')),
    queue,
    limits: { ...readLimits(root.table('limits')), ...queueLimits },
    filters: readFilters(root),
    forwarding: readForwarding(root.table('forwarding')),
    rejects: readRejects(root.table('rejects')),
    checks: readChecks(root.table('checks'), readDomain),
    reports: readReports(root.table('reports'), readDomain),
  }
  root.refuseOthers()
  return { config, warnings }
}

/** The index is made only when something is wrong. */
function indexPositionsLazily(text: string): ConfigSource['place'] {
  let positions: ConfigSource['place'] | null = null
  return (path) => {
    positions ??= indexPositions(text)
    return positions(path)
  }
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? ''
    const remedy =
      'Write KEY = VALUE or [TABLE] on a line of its own, and text in "quotes" (https://toml.io).'
    throw new ConfigError({ file, line: error.line, column: error.column }, `Not TOML: ${reason}`, remedy, {
      cause: error,
    })
  }
}

/** sub-domain *("." sub-domain), RFC 5321 §4.1.2, in A-labels. */
const domainSyntax =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/** @returns A-labels in lower case; null when it is no domain. */
function readDomain(text: string): string | null {
  const ascii = domainToASCII(text).toLowerCase()
  return domainSyntax.test(ascii) && isIP(ascii) === 0 ? ascii : null
}

function readHostname(root: ConfigTable): string {
  const text = root.string('hostname')
  const remedy = 'Add a line such as hostname = "mail.example.org": the name this server has in DNS.'
  if (text === null) {
    const table = root.keyOfTableWith('hostname')
    if (table === null) throw root.error([], 'hostname is missing', remedy)
    const why = `Move the line to the top of the file: what stands below [${table}] belongs to it.`
    throw root.error([table, 'hostname'], `hostname belongs to [${table}] here`, why)
  }
  const domain = readDomain(text)
  if (domain === null) throw root.error(['hostname'], `hostname "${text}" is not a host name`, remedy)
  return domain
}

function readListen(table: ConfigTable, warnings: string[]): Config['listen'] {
  const listen: { [door in DoorName]?: Endpoint[] } = {}
  for (const door of doorNames) {
    const endpoints = table.endpoints(door)
    if (endpoints !== null && endpoints.length > 0) listen[door] = endpoints
  }
  for (const door of futureDoors) {
    if (table.endpoints(door) !== null)
      warnings.push(`listen.${door} stays closed: that door is not built yet.`)
  }
  // Read where they belong.
  table.endpoints('http')
  table.endpoints('metrics')
  table.refuseOthers()
  if (Object.keys(listen).length === 0) {
    warnings.push('No door is open: add to [listen] for example smtp = ["0.0.0.0:25"].')
  }
  return listen
}

function readAuth(table: ConfigTable): Config['auth'] {
  const plaintext = table.choice('plaintext', ['never', 'loopback'], 'never')
  table.refuseOthers()
  return { plaintext }
}

function readDns(table: ConfigTable): Config['dns'] {
  const servers = table.endpoints('servers', 53)
  if (servers?.length === 0) {
    throw table.error(
      ['servers'],
      'dns.servers is empty',
      'Name a server, or leave the line out for those of the system.',
    )
  }
  const validating = table.boolean('validating', false)
  table.refuseOthers()
  return { servers, validating }
}

function readRoutes(table: ConfigTable): Config['routes'] {
  const routes = new Map<string, Endpoint | 'discard'>()
  for (const key of table.keys) {
    const domain = readDomain(key)
    if (domain === null) {
      throw table.error([key], `routes: "${key}" is not a domain`, 'Write "domain.example" = "192.0.2.1:25".')
    }
    const target = table.string(key)!
    if (target !== 'discard' && isIP(target.replace(/^\[?([^\]]*)\]?:\d*$/, '$1')) === 0) {
      const remedy = 'Write an address and a port, such as "192.0.2.1:25", or "discard".'
      throw table.error([key], `routes.${key}: "${target}" is not an IP address and a port`, remedy)
    }
    routes.set(domain, target === 'discard' ? 'discard' : table.endpoint([key], target))
  }
  return routes
}

function readOutgoing(table: ConfigTable): Config['outgoing'] {
  const address = table.string('address')
  if (address !== null && isIP(address) === 0) {
    const remedy = 'Write one of this machine’s addresses, or leave the line out.'
    throw table.error(['address'], `outgoing.address "${address}" is not an IP address`, remedy)
  }
  const name = table.string('ehlo_name')
  const ehloName = name === null ? null : readDomain(name)
  if (name !== null && ehloName === null) {
    const remedy = 'Write a name that DNS knows for the outgoing address, or leave the line out for hostname.'
    throw table.error(['ehlo_name'], `outgoing.ehlo_name "${name}" is not a host name`, remedy)
  }
  const allowPrivate = table.boolean('allow_private', false)
  table.refuseOthers()
  return { address, ehloName, allowPrivate }
}

function readSearch(table: ConfigTable): Config['search'] {
  const indexFor = table.choice('index_for', ['searching', 'everybody'], 'searching')
  table.refuseOthers()
  return { indexFor }
}

function readLevel<T extends string>(
  table: ConfigTable,
  levels: readonly T[],
  absent: T,
): { readonly level: T } {
  const level = table.choice('level', levels, absent)
  table.refuseOthers()
  return { level }
}

/** `messageOctets` is `message_octets` in the file. */
export function limitKey(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function readLimits(table: ConfigTable): Limits {
  const limits: Record<string, number> = {}
  for (const [name, value] of Object.entries(defaultLimits)) {
    const lowest = limitsThatMayBeZero.has(name as keyof Limits) ? 0 : 1
    limits[name] = table.integer(limitKey(name), value, lowest)
  }
  table.refuseOthers()
  return limits as unknown as Limits
}
