/** `[guards]`: what is asked of strangers. Every number that bounds something is in `Limits` instead. */
export interface GuardsConfig {
  /** Addresses that count as our own: not limited, never banned, never slowed down. */
  readonly trusted: readonly string[]
  /** Addresses and networks that are never let in. */
  readonly banned: readonly string[]
  /** Addresses and networks that are never banned, bounded, slowed down or put off; their mail is judged like any other. */
  readonly allow: readonly string[]
  /** Load balancers: their connections begin with a PROXY header. */
  readonly proxies: readonly string[]
  /** Proxies whose XCLIENT is believed. */
  readonly xclient: readonly string[]
  readonly greylist: boolean
  /** Refuses a reverse-path whose domain cannot take mail: RFC 7505, RFC 5321 §3.6.2. */
  readonly senderDomain: boolean
  readonly blocklists: readonly BlocklistConfig[]
  /** Octets of a message to a domain of ours, where less than `limits.messageOctets`. */
  readonly sizes: ReadonlyMap<string, number>
}

/** One DNS blocklist, RFC 5782. */
export interface BlocklistConfig {
  /** A-labels, `zen.blocklist.example`. */
  readonly zone: string
  /** What a listing does: `refuse` at RCPT, `junk` files into Junk, `weigh` only adds its weight. */
  readonly action: 'refuse' | 'junk' | 'weigh'
  /** Added up over all lists; 100 or more refuses. */
  readonly weight: number
  /** Answers that count, `127.0.0.2`; empty: all of 127.0.0.0/8 except 127.255.255.0/24. */
  readonly answers: readonly string[]
}

export const noGuards: GuardsConfig = {
  trusted: [],
  banned: [],
  allow: [],
  proxies: [],
  xclient: [],
  greylist: false,
  senderDomain: false,
  blocklists: [],
  sizes: new Map(),
}
