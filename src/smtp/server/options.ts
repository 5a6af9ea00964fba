import type { Authenticator } from '../../auth/authenticator.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { JourneySink } from '../../journey/event.ts'
import type { Forwarding } from '../../delivery/forwarding.ts'
import type { Rejects } from '../../delivery/rejects.ts'
import type { Filed, Store } from '../../store/store.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import type { SignerSource } from '../../submission/signer.ts'
import type { RefusalBook } from '../guard/refusal-book.ts'
import type { SmtpFilter } from '../filter/filter.ts'
import type { Mailbox } from '../wire/path.ts'

export interface SmtpDoorOptions {
  /**
   * MX on port 25 takes mail for our own domains from anybody; submission takes mail for anywhere from who logs in; LMTP
   * takes it for our own accounts and answers for each of them.
   */
  readonly role: 'mx' | 'submission' | 'lmtp'
  /** TLS from the first octet, RFC 8314 §3.3. */
  readonly implicitTls: boolean
  /** Said in the greeting and in Received. */
  readonly hostname: string
  /** What a log-in without a domain, and `<Postmaster>`, belong to. */
  readonly defaultDomain: string
  readonly store: Store
  readonly authenticator: Authenticator
  /** Null: STARTTLS is not offered. */
  readonly tls: ServerTls | null
  readonly plaintext: 'never' | 'loopback'
  readonly limits: Limits
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journeys: JourneySink
  /** Told the code of each reply: for counting. */
  readonly replied?: (code: number) => void
  readonly journeyLevel: 'full' | 'envelope' | 'facts' | 'off'
  /** What VRFY and EXPN tell those who have logged in. */
  readonly inquiries: { readonly vrfy: 'ambiguous' | 'accounts'; readonly expn: boolean }
  /** Asked in this order. */
  readonly filters: readonly SmtpFilter[]
  /** Signs what is handed in; null: nothing is signed. */
  readonly signer: SignerSource | null
  /** Addresses that begin with a PROXY header, `guards.proxies`. */
  readonly proxies: readonly string[]
  /** Addresses from which XCLIENT is believed, `guards.xclient`. */
  readonly xclient: readonly string[]
  /** Addresses that count as our own, `guards.trusted`. */
  readonly trusted: readonly string[]
  /** What becomes of refusals; absent: each refused conversation is a journey. */
  readonly refusals?: Pick<RefusalBook, 'takes' | 'count'>
  /** Told of each command that was no SMTP. */
  readonly mistaken?: (remoteAddress: string) => void
  /** Whether the MX takes mail for a domain that is not ours. Absent: never; nothing is relayed for strangers. */
  readonly mayRelay?: (domain: string, remoteAddress: string) => boolean
  /** Whether an address may ask for the mail that waits for a backup domain, RFC 1985. Absent: nobody may. */
  readonly mayEtrn?: (remoteAddress: string) => boolean
  /** Classes of solicitation that are not taken, RFC 3865; empty: the sign alone. Absent or null: no sign. */
  readonly noSolicitation?: readonly string[] | null
  /** How letters go on that aliases lead elsewhere; absent: under their own reverse-path. */
  readonly forwarding?: Forwarding | null
  /** Keeps copies of what filters refuse; absent: none are kept. */
  readonly rejects?: Pick<Rejects, 'mailbox' | 'wants' | 'file'> | null
  /** Told of each letter that was filed here, once it is on disk. Must not throw, and return at once. */
  readonly filed?: (letter: FiledLetter) => void
  /** Other words for the same replies: only the Lab hands them in. */
  readonly replyTexts?: ReplyTexts
}

export interface FiledLetter {
  /** As they were named in RCPT; also those whose copies went elsewhere. */
  readonly recipients: readonly string[]
  /** Never empty. */
  readonly filed: readonly Filed[]
  readonly octets: number
}

/** The replies whose wording the lecture prints. With them ENHANCEDSTATUSCODES is off, since RFC 2034 §4 wants the codes. */
export interface ReplyTexts {
  greeting(hostname: string): string
  hello(clientName: string, hostname: string): string
  sender(reversePath: Mailbox | null): string
  recipient(forwardPath: Mailbox): string
  readonly data: string
  readonly accepted: string
  closing(hostname: string): string
}
