/** Programs of others that have a say over incoming mail, as the configuration names them. */

/** How such a program is reached. */
export type FilterPlace =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export type FilterDoor = 'smtp' | 'submission' | 'lmtp'

/** Times are in milliseconds. */
export interface FilterConfig {
  /** In the log and in journeys. */
  readonly name: string
  readonly doors: readonly FilterDoor[]
  /** When it cannot be asked: go on as if it were not there, or 451. */
  readonly onFailure: 'accept' | 'tempfail'
  /** Of a message that it gets to see, or that is kept for it to change. */
  readonly maxOctets: number
}

export interface MilterConfig extends FilterConfig {
  readonly place: FilterPlace
  readonly connectTimeoutMs: number
  /** For an answer to a command of the envelope. */
  readonly commandTimeoutMs: number
  /** For an answer to a part of the message. */
  readonly contentTimeoutMs: number
}

export interface HttpFilterConfig extends FilterConfig {
  /** http or https. */
  readonly url: string
  /** From the request to the last octet of its answer. */
  readonly timeoutMs: number
  /** Requests at once; the others wait. */
  readonly requests: number
}

export const hookStages = ['connect', 'ehlo', 'mail', 'rcpt', 'data', 'message'] as const
export type HookStage = (typeof hookStages)[number]

export interface HookConfig extends HttpFilterConfig {
  readonly stages: readonly HookStage[]
  /** Signs the requests; null: they are not signed. */
  readonly secret: string | null
  /** How the message itself is sent with the stage `message`. */
  readonly message: 'none' | 'base64' | 'file'
  readonly answerOctets: number
}

export interface RspamdConfig extends HttpFilterConfig {
  /** Scores from which we refuse, or file as junk, whatever the action; null: as Rspamd says. */
  readonly rejectScore: number | null
  readonly junkScore: number | null
}

export interface ClamavConfig extends FilterConfig {
  readonly place: FilterPlace
  readonly connectTimeoutMs: number
  readonly timeoutMs: number
  readonly onFound: 'refuse' | 'junk'
  /** A message over `maxOctets`, or over clamd's own bound. */
  readonly tooLarge: 'accept' | 'refuse'
}

export interface FiltersConfig {
  readonly milters: readonly MilterConfig[]
  readonly hooks: readonly HookConfig[]
  readonly rspamd: RspamdConfig | null
  readonly clamav: ClamavConfig | null
}

export const noFilters: FiltersConfig = { milters: [], hooks: [], rspamd: null, clamav: null }
