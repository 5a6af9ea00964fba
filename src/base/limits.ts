import { defaultGuardLimits, type GuardLimits, guardLimitsThatMayBeZero } from './guard-limits.ts'
import { defaultReportLimits, type ReportLimits } from './report-limits.ts'

/**
 * Every bound on what others send us, with its default. Configuration (`[limits]`) may change each by its name.
 * Past a bound the session or the message ends with a clear error, and nothing else suffers.
 */
export interface Limits extends GuardLimits, ReportLimits {
  /** Octets of a message from outside. */
  readonly messageOctets: number
  /** Octets of a message handed in by a logged-in user. */
  readonly submissionOctets: number
  /** RFC 5321 §4.5.3.1.8 asks for at least 100. */
  readonly recipients: number
  /** SMTP and POP3 command line without CRLF; RFC 5321 §4.5.3.1.4 asks for at least 512. */
  readonly commandLineOctets: number
  /** One line of a message; accepted over the 998 of RFC 5322 §2.1.1, never split. */
  readonly textLineOctets: number
  /** All header fields of a message together. */
  readonly headerOctets: number
  readonly headerFields: number
  readonly mimeParts: number
  readonly mimeNesting: number
  /** DKIM signatures of one message that are verified; those of the author's domain first. */
  readonly dkimSignatures: number
  /** Sets of an ARC chain; RFC 8617 §4.2.1 says 50. */
  readonly arcSets: number
  /** After a message's end, for all that DNS has to say of its sender; later counts as a temporary error. docs/decisions/286 */
  readonly senderCheckTimeoutMs: number
  /** Received fields at which a message is taken to loop, RFC 5321 §6.3. */
  readonly hops: number
  /** IMAP command line without its literals. */
  readonly imapLineOctets: number
  /** Non-synchronising literal before log-in, RFC 7888. */
  readonly imapEarlyLiteralOctets: number
  readonly imapNesting: number
  readonly imapSequenceRanges: number
  /** SMTP command wait, and from the first octet of a command to its end; RFC 5321 §4.5.3.2.7 asks for at least 5 minutes. */
  readonly smtpCommandTimeoutMs: number
  /** Octets of a message that must come in each stretch of `smtpCommandTimeoutMs`; RFC 5321 §4.5.3.2.5 gives a block 3 minutes. */
  readonly smtpBlockOctets: number
  /** For a proxy to say whose connection it passes on. */
  readonly proxyHeaderTimeoutMs: number
  /** Messages that are taken on one connection, RFC 9422. */
  readonly mailsPerConnection: number
  /** How long a message can be kept back for, RFC 4865. */
  readonly futureReleaseMs: number
  /** For all filters together to answer: at each command, and at the end of a message; past it 451. */
  readonly checkTimeoutMs: number
  readonly imapIdleTimeoutMs: number
  readonly imapLoginTimeoutMs: number
  /** RFC 1939 §3 asks for at least 10 minutes. */
  readonly pop3IdleTimeoutMs: number
  readonly tlsHandshakeTimeoutMs: number
  /** Between two looks at the certificates' files. */
  readonly certificateCheckMs: number
  /** Connections of one address that have not logged in. */
  readonly connectionsPerAddress: number
  /** Connections of one account after log-in. */
  readonly connectionsPerAccount: number
  /** All connections of one door. */
  readonly connections: number
  /** Erroneous SMTP, IMAP or POP3 commands before the connection is closed. */
  readonly errorsPerSession: number
  /** Failed log-ins before the connection is closed. */
  readonly loginFailuresPerSession: number
  /** Log-ins that may wait for a password hash at once; beyond it: try again later. */
  readonly loginsWaiting: number
  /** Octets a session may have waiting to be read by a slow peer before we stop producing. */
  readonly outputOctets: number
  readonly queueLifeMs: number
  /** The same for a domain that we are a backup of: its own server may be away for long. */
  readonly backupLifeMs: number
  readonly delayWarningMs: number
  /** Octets of a message up to which a report of failure has all of it, when its sender asked so (RET=FULL). */
  readonly returnedMessageOctets: number
  readonly journeyFactsMs: number
  readonly journeyWireMs: number
  /** After its last search in texts, how long the index of the search follows an account's mail. */
  readonly searchIndexMs: number
  readonly aliasDepth: number
  /** Addresses whose account or alias is kept in memory, so that RCPT asks no table. */
  readonly addressesKnown: number
  readonly mailboxesPerAccount: number
  readonly mailboxNameOctets: number
  /** How long what was expunged can be put back; sessions can read it for ten minutes at least. */
  readonly undeleteMs: number
  /** How long a message stays in a mailbox of special use \Trash; 0: for ever. */
  readonly trashExpiryMs: number
  /** As `trashExpiryMs`, for \Junk. */
  readonly junkExpiryMs: number
  /** Expunged UIDs that a mailbox remembers for those who synchronise, RFC 7162 §3.2.10; the newest ones. */
  readonly expungedHistory: number
  /** Between two passes of the housekeeping. */
  readonly cleanEveryMs: number
  /** Octets of bodies that are removed until a pass comes before its time. */
  readonly cleanGarbageOctets: number
  /** Octets of bodies that a pass rewrites in a second; one that somebody asked for has no such bound. */
  readonly cleanOctetsPerSecond: number
  /** Between two passes that look at each email's row, for bodies that nobody owns. */
  readonly markEveryMs: number
  /** Room on the data folder's disk under which no new mail is taken; what frees room goes on. 0: no bound. */
  readonly diskReserveOctets: number
  /** Octets of messages in memory at once for milters, hooks and spam filters, all sessions together. */
  readonly filterMemoryOctets: number
}

/** Those for which 0 has a meaning. */
export const limitsThatMayBeZero: ReadonlySet<keyof Limits> = new Set([
  'trashExpiryMs',
  'junkExpiryMs',
  'diskReserveOctets',
  ...guardLimitsThatMayBeZero,
])

const minute = 60_000
const day = 24 * 60 * minute

export const defaultLimits: Limits = {
  messageOctets: 50_000_000,
  submissionOctets: 100_000_000,
  recipients: 1_000,
  commandLineOctets: 2_048,
  textLineOctets: 65_536,
  headerOctets: 262_144,
  headerFields: 1_000,
  mimeParts: 1_000,
  mimeNesting: 50,
  dkimSignatures: 10,
  arcSets: 50,
  senderCheckTimeoutMs: 5_000,
  hops: 100,
  imapLineOctets: 65_536,
  imapEarlyLiteralOctets: 4_096,
  imapNesting: 50,
  imapSequenceRanges: 10_000,
  smtpCommandTimeoutMs: 5 * minute,
  smtpBlockOctets: 16_384,
  proxyHeaderTimeoutMs: 5_000,
  mailsPerConnection: 100_000,
  futureReleaseMs: 30 * day,
  checkTimeoutMs: 30_000,
  imapIdleTimeoutMs: 30 * minute,
  imapLoginTimeoutMs: minute,
  pop3IdleTimeoutMs: 10 * minute,
  tlsHandshakeTimeoutMs: 30_000,
  certificateCheckMs: minute,
  connectionsPerAddress: 50,
  connectionsPerAccount: 100,
  connections: 20_000,
  errorsPerSession: 20,
  loginFailuresPerSession: 3,
  loginsWaiting: 200,
  outputOctets: 1_048_576,
  queueLifeMs: 5 * day,
  backupLifeMs: 30 * day,
  delayWarningMs: 4 * 60 * minute,
  returnedMessageOctets: 131_072,
  journeyFactsMs: 90 * day,
  journeyWireMs: 14 * day,
  searchIndexMs: 30 * day,
  aliasDepth: 10,
  addressesKnown: 10_000,
  mailboxesPerAccount: 10_000,
  mailboxNameOctets: 1_000,
  undeleteMs: 7 * day,
  trashExpiryMs: 30 * day,
  junkExpiryMs: 30 * day,
  expungedHistory: 100_000,
  cleanEveryMs: 60 * minute,
  cleanGarbageOctets: 268_435_456,
  cleanOctetsPerSecond: 16_777_216,
  markEveryMs: 7 * day,
  diskReserveOctets: 200_000_000,
  ...defaultGuardLimits,
  ...defaultReportLimits,
  filterMemoryOctets: 268_435_456,
}
