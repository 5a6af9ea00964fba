/** The lecture's six steps, in the words of the view. */
export type Stage =
  | 'written'
  | 'handed-in'
  | 'queued'
  | 'looked-up'
  | 'connected'
  | 'secured'
  | 'spoken'
  | 'judged'
  | 'filed'
  | 'collected'

export type Kind =
  | 'compose.saved'
  | 'submit'
  | 'hold'
  | 'sign.dkim'
  | 'queue.in'
  | 'queue.retry'
  | 'attempt.start'
  | 'attempt.end'
  | 'dns.ask'
  | 'dns.answer'
  | 'policy.mtasts'
  | 'policy.dane'
  | 'tcp.open'
  | 'tls.done'
  | 'wire'
  | 'smtp.reply'
  | 'auth.iprev'
  | 'auth.spf'
  | 'auth.dkim'
  | 'auth.arc'
  | 'auth.dmarc'
  | 'refuse'
  | 'spam'
  | 'sieve'
  | 'file'
  | 'dsn'
  | 'collect.pop3'
  | 'collect.imap'
  | 'collect.jmap'
  | 'import'

/** Who vouches: our own code, a peer that was declared trusted, or nobody (a header field says so). */
export type Witness = 'observed' | 'attested' | 'claimed'

export type Viewer = 'sender' | 'recipient' | 'admin'

export interface JourneyEvent {
  /** Milliseconds since 1970, UTC. */
  readonly at: number
  /** Monotonic microseconds since the recorder began. */
  readonly dtUs: number
  readonly stage: Stage
  readonly kind: Kind
  readonly witness: Witness
  readonly visibleTo: readonly Viewer[]
  /** The recipient this concerns; absent: all of them. */
  readonly branch?: string
  readonly data: EventData
  /** What was said, as a recorder hands it over; who reads the journey finds it as `lines` of the data (spoken.ts). */
  readonly spoken?: Spoken
}

/** JSON values only, so that an event can be stored, sent and shown as it is. */
export type EventData = { readonly [name: string]: Json | undefined }
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined }

/** One line of a dialogue as both sides saw it. `C` is the TCP client, whichever side we are. A type, so that it is `Json`, too. */
export type WireLine = {
  readonly side: 'C' | 'S'
  /** One char per octet, without CRLF, at most 1,000 chars; secrets already replaced. */
  readonly text: string
  /** Monotonic microseconds since the recorder began. */
  readonly dtUs: number
}

/** Of each line, or of each reply with all of its lines: side, microseconds, text; flat, since a journey has dozens. */
export type Spoken = readonly (string | number)[]

/** What joins the journeys of two servers: the connection's four numbers and the transaction's index on it. */
export interface Link {
  /** `address:port` of the side that opened the connection, IPv6 in brackets. */
  readonly client: string
  readonly server: string
  /** Index of the mail transaction on the connection, from 0. */
  readonly transaction: number
}

/** What a journey is found by. Later entries may add to it; lists grow, single values are replaced. */
export interface JourneyFacts {
  readonly direction?: 'out' | 'in' | 'local'
  readonly state?: 'held' | 'queued' | 'moving' | 'retrying' | 'delivered' | 'refused' | 'collected'
  /** With its angle brackets; a hint only: anybody may write the same one. */
  readonly messageId?: string
  readonly subject?: string
  readonly reversePath?: string
  readonly recipients?: readonly string[]
  readonly links?: readonly Link[]
  readonly queueIds?: readonly number[]
  readonly accountIds?: readonly number[]
  /** Who was refused. */
  readonly remoteAddress?: string
  /** Recipients that were refused, as the client wrote them; a message to others may have been taken. */
  readonly refused?: readonly string[]
  /** Refusals of one address for one reason that this row stands for. */
  readonly count?: number
  /** Owner of the outgoing side: who may look at it as the sender. */
  readonly senderAccountId?: number
}

/** One append to a journey. */
export interface JourneyEntry {
  readonly journeyId: string
  readonly facts?: JourneyFacts
  readonly events: readonly JourneyEvent[]
}

/** A whole journey, oldest event first. */
export interface Journey {
  readonly journeyId: string
  readonly startedAt: number
  readonly facts: JourneyFacts
  readonly events: readonly JourneyEvent[]
}

/** Takes what recorders hand over. Never throws, never waits: losing a journey loses no mail. */
export interface JourneySink {
  /** @param entry Is read later: nobody changes anything in it. */
  append(entry: JourneyEntry): void
}

/** What to look a journey up by; the newest come first. */
export interface JourneyQuery {
  readonly journeyId?: string
  readonly messageId?: string
  readonly recipient?: string
  readonly reversePath?: string
  readonly queueId?: number
  readonly link?: Link
  readonly accountId?: number
  /** Those in which something was refused to this address. */
  readonly remoteAddress?: string
  /** True: those in which something was refused; false: without those that strangers were refused altogether. */
  readonly refused?: boolean
  /** 1 to 1,000. */
  readonly limit: number
}

export interface JourneyReader {
  find(query: JourneyQuery): Promise<Journey[]>
}

/** Keeps nothing: recording is off. */
export const noJourneys: JourneySink = { append() {} }
