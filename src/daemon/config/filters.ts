/** Reads `[[milter]]`, `[[hook]]`, `[rspamd]` and `[clamav]`. */
import { isIP } from 'node:net'
import type {
  ClamavConfig,
  FilterConfig,
  FilterDoor,
  FilterPlace,
  FiltersConfig,
  HookConfig,
  HttpFilterConfig,
  MilterConfig,
  RspamdConfig,
} from '../../base/filter-config.ts'
import { hookStages } from '../../base/filter-config.ts'
import type { ConfigTable } from '../config-table.ts'

const doors: readonly FilterDoor[] = ['smtp', 'submission', 'lmtp']

/** @throws {ConfigError} */
export function readFilters(root: ConfigTable): FiltersConfig {
  const milters = root.tables('milter').map(readMilter)
  const hooks = root.tables('hook').map(readHook)
  const rspamd = readIfThere(root, 'rspamd', readRspamd)
  const clamav = readIfThere(root, 'clamav', readClamav)
  return { milters, hooks, rspamd, clamav }
}

function readIfThere<T>(root: ConfigTable, key: string, read: (table: ConfigTable) => T): T | null {
  // Asked for in any case: it is a key that is known.
  const table = root.table(key)
  return root.has(key) ? read(table) : null
}

function readMilter(table: ConfigTable): MilterConfig {
  const { text, place } = readSocket(table, 'inet:8891@127.0.0.1')
  const milter = {
    ...readCommon(table, text, ['smtp'], 10_000_000),
    place,
    connectTimeoutMs: table.integer('connect_timeout_ms', 10_000, 1),
    commandTimeoutMs: table.integer('command_timeout_ms', 10_000, 1),
    contentTimeoutMs: table.integer('content_timeout_ms', 20_000, 1),
  }
  table.refuseOthers()
  return milter
}

function readHook(table: ConfigTable): HookConfig {
  const hook = {
    ...readHttp(table, 'http://127.0.0.1:8080/mail', null),
    stages: readList(table, 'stages', hookStages, ['message']),
    secret: table.string('secret'),
    message: table.choice('message', ['none', 'base64', 'file'], 'none'),
    answerOctets: table.integer('answer_octets', 262_144, 1),
  }
  table.refuseOthers()
  return hook
}

function readRspamd(table: ConfigTable): RspamdConfig {
  const rspamd = {
    ...readHttp(table, 'http://127.0.0.1:11333', 'rspamd'),
    rejectScore: table.number('reject_score'),
    junkScore: table.number('junk_score'),
  }
  table.refuseOthers()
  return rspamd
}

function readClamav(table: ConfigTable): ClamavConfig {
  const { place } = readSocket(table, 'unix:/run/clamav/clamd.ctl')
  const clamav = {
    ...readCommon(table, 'clamav', ['smtp', 'submission'], 25_000_000),
    place,
    connectTimeoutMs: table.integer('connect_timeout_ms', 10_000, 1),
    timeoutMs: table.integer('timeout_ms', 20_000, 1),
    onFound: table.choice('on_found', ['refuse', 'junk'], 'refuse'),
    tooLarge: table.choice('too_large', ['accept', 'refuse'], 'accept'),
  }
  table.refuseOthers()
  return clamav
}

/** @param name For a table without one. @param usual Doors without a line about them. */
function readCommon(
  table: ConfigTable,
  name: string,
  usual: readonly FilterDoor[],
  maxOctets: number,
): FilterConfig {
  return {
    name: table.string('name') ?? name,
    doors: readList(table, 'doors', doors, usual),
    onFailure: table.choice('on_failure', ['accept', 'tempfail'], 'tempfail'),
    maxOctets: table.integer('max_octets', maxOctets, 1),
  }
}

/** @param name Null: the URL. */
function readHttp(table: ConfigTable, example: string, name: string | null): HttpFilterConfig {
  const text = table.string('url')
  const remedy = `Write url = "${example}".`
  if (text === null) throw table.error([], `${table.name}.url is missing`, remedy)
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw table.error(['url'], `${table.name}.url "${text}" is no http or https URL`, remedy)
  // It is seen by whoever may read the process's requests and log; and we would not send it.
  if (url.username !== '' || url.password !== '')
    throw table.error(['url'], `${table.name}.url has a password in it`, 'Sign the requests: secret = "…".')
  return {
    ...readCommon(table, name ?? text, ['smtp'], 10_000_000),
    url: url.href,
    timeoutMs: table.integer('timeout_ms', 20_000, 1),
    requests: table.integer('requests', 20, 1),
  }
}

function readList<T extends string>(
  table: ConfigTable,
  key: string,
  choices: readonly T[],
  absent: readonly T[],
): readonly T[] {
  const texts = table.strings(key)
  const remedy = `Write a list of ${choices.map((choice) => `"${choice}"`).join(', ')}.`
  if (texts?.length === 0) throw table.error([key], `${table.name}.${key} is empty`, remedy)
  return (
    texts?.map((text, index) => {
      const found = choices.find((choice) => choice === text)
      if (found === undefined) throw table.error([key, index], `${table.name}.${key} names "${text}"`, remedy)
      return found
    }) ?? absent
  )
}

function readSocket(table: ConfigTable, example: string): { text: string; place: FilterPlace } {
  const text = table.string('socket')
  const remedy = `Write socket = "${example}", or "inet:PORT@ADDRESS", or "unix:/PATH".`
  if (text === null) throw table.error([], `${table.name}.socket is missing`, remedy)
  const place = parsePlace(text)
  if (place === null) throw table.error(['socket'], `${table.name}.socket "${text}" cannot be read`, remedy)
  return { text, place }
}

/** As milters' own documents write it: `inet:port@host`, `inet6:port@host`, `unix:/path`, `local:/path`. */
function parsePlace(text: string): FilterPlace | null {
  const path = /^(?:unix|local):(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { kind: 'unix', path }
  const [, port = '', bracketed = ''] = /^inet6?:(\d{1,5})@(\S+)$/.exec(text) ?? []
  const host = bracketed.replace(/^\[(.*)\]$/, '$1')
  const number = Number(port)
  if (number < 1 || number > 65_535 || host === '') return null
  return isIP(host) !== 0 || /^[A-Za-z0-9.-]+$/.test(host) ? { kind: 'inet', host, port: number } : null
}
