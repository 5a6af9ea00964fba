import type { ChecksConfig } from './checks-config.ts'
import type { FiltersConfig } from './filter-config.ts'
import type { GuardsConfig } from './guards-config.ts'
import type { Limits } from './limits.ts'
import type { RejectsConfig } from './rejects-config.ts'
import type { ReportsConfig } from './reports-config.ts'
import type { QueueConfig } from './queue-config.ts'

/** One TCP address to listen on or to connect to. Port 0 takes a free one. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** The doors a server can open; one that is absent is closed. */
export const doorNames = [
  'smtp',
  'submission',
  'submissions',
  'pop3',
  'pop3s',
  'imap',
  'imaps',
  'lmtp',
] as const
export type DoorName = (typeof doorNames)[number]

/** PEM files, absolute paths. */
export interface CertificateFiles {
  /** With the issuing certificates behind it. */
  readonly certificate: string
  readonly key: string
}

export interface TlsConfig {
  /** The first serves who names no server. Empty: a self-made certificate is kept in the data folder. */
  readonly certificates: readonly CertificateFiles[]
  /** PEM file of the authorities whose client certificates let people log in; null: none are asked for. */
  readonly clientCa: string | null
}

/** Whom a server becomes that is started as root, once its ports are bound. Null: it stays who it is. */
export interface ProcessConfig {
  /** `root`: it stays so. */
  readonly user: string | null
  /** Null: the user's own. */
  readonly group: string | null
}

/** Whose mail the index of the search follows: theirs who have searched of late, or everybody's. */
export type IndexFor = 'searching' | 'everybody'

/** What belongs to the machine. Domains, accounts, aliases and keys live in the store. */
export interface Config {
  /** The name in greetings, Received fields and Message-IDs. */
  readonly hostname: string
  /** Absolute path of the data folder. */
  readonly data: string
  readonly listen: { readonly [door in DoorName]?: readonly Endpoint[] }
  /** Where `/healthz` and `/readyz` are answered; `metrics` has `/metrics` too. Empty: nowhere. */
  readonly health: { readonly http: readonly Endpoint[]; readonly metrics: readonly Endpoint[] }
  readonly tls: TlsConfig
  readonly process: ProcessConfig
  readonly auth: {
    /** Log-in without TLS: never, or only from 127.0.0.0/8 and ::1. */
    readonly plaintext: 'never' | 'loopback'
  }
  readonly dns: {
    /** Null: those of the system. */
    readonly servers: readonly Endpoint[] | null
    /** AD is believed although the resolver is not on loopback. */
    readonly validating: boolean
  }
  /** Next hop for a domain instead of its MX; `discard` is queued durably, then thrown away. */
  readonly routes: ReadonlyMap<string, Endpoint | 'discard'>
  readonly smtp: {
    /** What VRFY says to those who have logged in: neither yes nor no, or whether there is such an account. */
    readonly vrfy: 'ambiguous' | 'accounts'
    /** Whether EXPN names the members of an alias to those who have logged in. */
    readonly expn: boolean
    /** Addresses and networks that may ask for the mail of a backup domain. */
    readonly etrn: readonly string[]
    /** RFC 3865 keywords of what is not wanted; empty: the sign alone; null: no sign. */
    readonly noSolicitation: readonly string[] | null
  }
  readonly guards: GuardsConfig
  readonly outgoing: {
    /** Source address of outgoing connections; null leaves it to the system. */
    readonly address: string | null
    /** Name said in EHLO; null: `hostname`. */
    readonly ehloName: string | null
    /** Private, loopback and link-local addresses may be connected to, wherever DNS or a literal leads. */
    readonly allowPrivate: boolean
  }
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' }
  readonly journey: { readonly level: 'full' | 'envelope' | 'facts' | 'off' }
  readonly search: { readonly indexFor: IndexFor }
  readonly queue: QueueConfig
  readonly limits: Limits
  /** Programs of others that have a say over incoming mail. */
  readonly filters: FiltersConfig
  /** Is the sender of incoming mail genuine. */
  readonly checks: ChecksConfig
  readonly forwarding: {
    /** The reverse-path of what an alias leads elsewhere becomes one of ours. */
    readonly srs: boolean
  }
  readonly rejects: RejectsConfig
  /** What other domains are told, and tell us. */
  readonly reports: ReportsConfig
}
