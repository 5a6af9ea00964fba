/** Puts a configuration that was read anew in the place of the one in force, as far as that goes without a restart. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../base/config.ts'
import type { Limits } from '../base/limits.ts'
import { limitKey } from './load-config.ts'

export interface Reloaded {
  /** Tables, and single limits, that are in force now. */
  readonly changed: readonly string[]
  /** Those that are different in the file and stay as they were. */
  readonly needsRestart: readonly string[]
}

/**
 * Limits that are looked at each time they bind: sessions and queue hold the very object that is changed here. Others have
 * been copied into threads and tables of their own.
 */
const liveLimits: ReadonlySet<keyof Limits> = new Set([
  'messageOctets',
  'submissionOctets',
  'commandLineOctets',
  'textLineOctets',
  'headerOctets',
  'headerFields',
  'hops',
  'smtpCommandTimeoutMs',
  'imapLoginTimeoutMs',
  'imapIdleTimeoutMs',
  'pop3IdleTimeoutMs',
  'tlsHandshakeTimeoutMs',
  'certificateCheckMs',
  'connections',
  'connectionsPerAddress',
  'connectionsPerNetwork',
  'connectionsPerAccount',
  'errorsPerSession',
  'loginFailuresPerSession',
  'outputOctets',
  'queueLifeMs',
  'delayWarningMs',
])

/** Tables whose value is asked for anew each time it counts. */
const liveTables: ReadonlySet<keyof Config> = new Set([
  ...(['tls', 'auth', 'log', 'journey', 'smtp'] as const),
  ...(['guards', 'checks', 'filters', 'queue', 'reports'] as const),
])

/**
 * @param live Held by everything that runs; changed in place.
 * @param next Good in itself, and its certificates are in use already.
 */
export function reloadConfig(live: Config, next: Config): Reloaded {
  const changed: string[] = []
  const needsRestart: string[] = []
  for (const key of Object.keys(next) as (keyof Config)[]) {
    if (key === 'limits' || isDeepStrictEqual(live[key], next[key])) continue
    if (key === 'routes') replaceRoutes(live.routes, next.routes)
    else if (liveTables.has(key)) Object.assign(live, { [key]: next[key] })
    else {
      needsRestart.push(key)
      continue
    }
    changed.push(key)
  }
  for (const key of Object.keys(next.limits) as (keyof Limits)[]) {
    if (live.limits[key] === next.limits[key]) continue
    const name = `limits.${limitKey(key)}`
    if (!liveLimits.has(key)) {
      needsRestart.push(name)
      continue
    }
    Object.assign(live.limits, { [key]: next.limits[key] })
    changed.push(name)
  }
  return { changed, needsRestart }
}

/** The queue holds the map. */
function replaceRoutes(live: Config['routes'], next: Config['routes']): void {
  const routes = live as Map<string, typeof next extends ReadonlyMap<string, infer Hop> ? Hop : never>
  routes.clear()
  for (const [domain, hop] of next) routes.set(domain, hop)
}
