/**
 * Who is not let in. Bans of the configuration hold for ever; those that the guards or a person add are notes and end.
 * The longest prefix that holds an address counts.
 */
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import { formatPrefix, hostOf, parsePrefix, type Prefix, PrefixMap } from '../../base/network.ts'
import type { Note, Notes } from '../../store/notes.ts'

export interface Ban {
  /** `192.0.2.1`, `2001:db8::/48`. */
  readonly prefix: string
  readonly reason: string
  readonly since: number
  /** Milliseconds since 1970; null: until it is lifted. */
  readonly until: number | null
}

export interface BanOptions {
  readonly notes: Notes
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'banMs' | 'banMaxMs' | 'notesPerKind'>
  /** Prefixes of the configuration, at the beginning. */
  readonly banned: readonly string[]
}

const kind = 'ban'
const historyKind = 'ban-history'
const historyMs = 7 * 24 * 3_600_000
/** The last day a Date can hold. */
const forever = 8.64e15

export class BanList {
  readonly #options: BanOptions
  readonly #bans = new PrefixMap<Ban>()
  /** Those that are notes, oldest first. */
  readonly #noted = new Set<string>()
  /** Prefixes of the configuration. */
  #configured: readonly string[] = []

  constructor(options: BanOptions) {
    this.#options = options
    for (const [prefix, note] of options.notes.list(kind)) {
      this.#noted.add(prefix)
      this.#set(banOf(prefix, note))
    }
    this.configure(options.banned)
  }

  /** The configuration names others now. Connections that are open stay so. */
  configure(banned: readonly string[]): void {
    const { notes, clock } = this.#options
    const before = this.#configured
    this.#configured = banned
    for (const text of before) {
      const prefix = parsePrefix(text)
      if (prefix === null || this.#isConfigured(prefix)) continue
      const name = formatPrefix(prefix)
      const note = notes.get(kind, name)
      if (note === null) this.#bans.delete(prefix)
      else this.#set(banOf(name, note))
    }
    for (const text of banned) {
      if (before.includes(text)) continue
      this.#set({ prefix: text, reason: 'named in the configuration', since: clock.now(), until: null })
    }
  }

  #set(ban: Ban): void {
    const prefix = parsePrefix(ban.prefix)
    if (prefix !== null) this.#bans.set(prefix, ban)
  }

  find(address: string): Ban | null {
    const ban = this.#bans.find(address)
    if (ban === null || !this.#isOver(ban)) return ban
    this.#bans.delete(parsePrefix(ban.prefix)!)
    return this.find(address)
  }

  #isOver({ until }: Ban): boolean {
    return until !== null && until <= this.#options.clock.now()
  }

  /** @returns Null when the text is no address and no network. */
  add(text: string, reason: string, until: number | null): Ban | null {
    const prefix = parsePrefix(text)
    if (prefix === null) return null
    // What the configuration says does not end.
    if (this.#isConfigured(prefix)) return this.#bans.get(prefix)
    const { notes, clock } = this.#options
    const ban: Ban = { prefix: formatPrefix(prefix), reason, since: clock.now(), until }
    notes.put(kind, ban.prefix, { reason, since: ban.since }, until ?? forever)
    this.#bans.set(prefix, ban)
    this.#noted.delete(ban.prefix)
    this.#noted.add(ban.prefix)
    this.#makeRoom()
    return ban
  }

  /** The notes let go of the oldest; so do we. */
  #makeRoom(): void {
    if (this.#noted.size <= this.#options.limits.notesPerKind) return
    for (const oldest of this.#noted) {
      this.#noted.delete(oldest)
      this.#bans.delete(parsePrefix(oldest)!)
      break
    }
  }

  /** A ban for what strangers did: twice as long for each one within the last week. */
  punish(network: string, reason: string): Ban | null {
    const { notes, clock, limits, log } = this.#options
    const before = Number(notes.get(historyKind, network)?.value ?? 0)
    const lastsMs = Math.min(limits.banMs * 2 ** Math.min(before, 30), limits.banMaxMs)
    const now = clock.now()
    notes.put(historyKind, network, before + 1, now + lastsMs + historyMs)
    const ban = this.add(network, reason, now + lastsMs)
    log.warn('address banned', { network, reason, forMs: lastsMs })
    return ban
  }

  /** @returns False when there is no such ban, or when it stands in the configuration. */
  lift(text: string): boolean {
    const prefix = parsePrefix(text)
    if (prefix === null || this.#isConfigured(prefix)) return false
    const { notes } = this.#options
    const name = formatPrefix(prefix)
    notes.delete(kind, name)
    this.#noted.delete(name)
    // Forgiven is forgotten: the next one is a first one again.
    notes.delete(historyKind, name)
    notes.delete(historyKind, hostOf(name.split('/')[0]!))
    return this.#bans.delete(prefix)
  }

  #isConfigured(prefix: Prefix): boolean {
    const name = formatPrefix(prefix)
    return this.#configured.some((text) => formatPrefix(parsePrefix(text)!) === name)
  }

  /** Those that hold now, the newest last; those of the configuration at the end. */
  list(): Ban[] {
    const { notes } = this.#options
    const noted = Array.from(notes.list(kind), ([prefix]) => this.#bans.get(parsePrefix(prefix)!))
    const configured = this.#configured.map((text) => this.#bans.get(parsePrefix(text)!))
    return [...new Set([...noted, ...configured])]
      .filter((ban) => ban !== null)
      .filter((ban) => !this.#isOver(ban))
  }
}

function banOf(prefix: string, { value, expiresAt }: Note): Ban {
  const { reason, since } = value as { reason: string; since: number }
  return { prefix, reason, since, until: expiresAt === forever ? null : expiresAt }
}
