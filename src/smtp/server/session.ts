/**
 * One SMTP session: what has been said so far, and what may be said next.
 *
 * `answer` takes one command line and gives back a reply and what happens after it has been sent. Nothing here touches
 * a socket, TLS or a timer: connection.ts does, and a test calls `answer` without either.
 */
import { andThen } from '../../base/at-once.ts'
import type { Account } from '../../store/accounts.ts'
import type { PlannedRecipient } from '../../delivery/plan.ts'
import type { Link } from '../../journey/event.ts'
import { Recorder } from '../../journey/recorder.ts'
import type { SaslExchange } from '../../sasl/mechanism.ts'
import type { Place } from '../../base/connection-gate.ts'
import { endpointName, type TlsFacts } from '../../base/peer.ts'
import type { ProxiedAddresses } from '../wire/proxy-header.ts'
import type { MailOffer } from '../wire/mail.ts'
import { Refusal, refuse, type Reply } from '../wire/reply.ts'
import { commandOf } from './commands/index.ts'
import { SessionClient } from './filter-client.ts'
import { Filters, openFilters } from './filters.ts'
import type { IncomingMessage } from './incoming.ts'
import { nothingOffered } from './offer.ts'
import type { SmtpDoorOptions } from './options.ts'
import { noteRefusal, noteRefusedCommand, type SessionRefusal } from './refusals.ts'
import type { Transaction } from './transaction.ts'
import type { Chunk } from './transfer.ts'

/**
 * `start`: before HELO. `ready`: no transaction. `envelope`: after MAIL. `recipients`: after the first RCPT.
 * `chunks`: after the first BDAT. `auth`: the next line answers a SASL challenge.
 */
export type Phase = 'start' | 'ready' | 'envelope' | 'recipients' | 'chunks' | 'auth'

/** What happens once the reply has been sent; `greet`: another greeting is sent instead of it; `leave`: QUIT was said. */
export type Next = 'command' | 'starttls' | 'data' | 'chunk' | 'greet' | 'close' | 'leave'

export interface Answer {
  readonly reply: Reply
  readonly next: Next
  /** With `chunk`: what follows the command; the reply is said after it. */
  readonly chunk?: Chunk
}

export interface Command {
  readonly verb: string
  readonly phases: readonly Phase[]
  /** Doors at which it is known; absent: all of them. */
  readonly roles?: readonly SmtpDoorOptions['role'][]
  /** Brings no message nearer. */
  readonly idle?: true
  run(session: Session, args: string): Promise<Answer | Reply> | Answer | Reply
}

export interface SessionPeer {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteName: string
  readonly localName: string
  /** Absent: the account's connections are not counted. */
  readonly place?: Pick<Place, 'enter' | 'moveTo'>
}

export interface SessionInput {
  readonly bufferedOctets: number
}

const noInput: SessionInput = { bufferedOctets: 0 }

export class Session {
  readonly options: SmtpDoorOptions
  /** Whose connection it is: the TCP client's, or the one that a proxy names. */
  peer: SessionPeer
  /** What XCLIENT has told besides; null: nothing. */
  vouched: { readonly name: string | null; readonly helo: string | null } | null = null
  /** Whether XCLIENT is taken from the client; not any more once it has been used and EHLO was said. */
  mayVouch: boolean
  readonly recorder: Recorder
  filters: Filters
  /** What came and has not been looked at. */
  readonly input: SessionInput
  phase: Phase = 'start'
  /** Set by the connection once TLS is up; the session then begins anew, RFC 3207 §4.2. */
  tls: TlsFacts | null = null
  /** What HELO or EHLO said; '' before. */
  clientName = ''
  /** EHLO, not HELO. */
  extended = false
  /** Parameters of MAIL that EHLO has announced. */
  offer: MailOffer = nothingOffered
  account: Account | null = null
  exchange: SaslExchange | null = null
  /** Null: MAIL has not been said. */
  transaction: Transaction | null = null
  /** The message that is arriving; null between messages. */
  incoming: IncomingMessage | null = null
  /** How often MAIL was accepted. */
  mails = 0
  /** Mail transactions that came to DATA so far: the index in this connection's journeys. */
  transactions = 0
  /** Commands that were refused; past `limits.errorsPerSession` the connection ends. */
  errors = 0
  loginFailures = 0
  /** Commands that brought no message nearer, since the last one. */
  idleCommands = 0
  /** The journey that the last lines of the dialogue still belong to. */
  lastJourneyId: string | null = null
  /** Since the last journey was handed over. */
  refusals: SessionRefusal[] = []

  /** Made once for each peer, not for each message. */
  #linkNames: Omit<Link, 'transaction'> = { client: '', server: '' }
  #linkPeer: SessionPeer | null = null

  constructor(options: SmtpDoorOptions, peer: SessionPeer, input: SessionInput = noInput) {
    this.options = options
    this.peer = peer
    this.input = input
    this.recorder = new Recorder(options.clock, options.journeyLevel !== 'off')
    this.filters = new Filters([], options)
    this.mayVouch = options.xclient.includes(peer.remoteAddress)
  }

  /** The connection's filters, for the client as it is known now. */
  openFilters(): void {
    this.filters.close()
    this.filters = openFilters(this.options.filters, new SessionClient(this), this.options)
  }

  /** A proxy that is believed says whose connection it is: nothing that was said before counts. */
  beginAnew(addresses: ProxiedAddresses): void {
    this.#forget()
    const { remoteAddress, remotePort, localAddress, localPort } = addresses
    const names = {
      remoteName: endpointName(remoteAddress, remotePort),
      localName: endpointName(localAddress, localPort),
    }
    const { place } = this.peer
    this.peer = { ...addresses, ...names, ...(place === undefined ? {} : { place }) }
  }

  get recipients(): readonly PlannedRecipient[] {
    return this.transaction?.recipients ?? []
  }

  /** RFC 2034 §4 wants the codes in every reply once announced; the Lab's wording has none. */
  get enhanced(): boolean {
    return this.options.replyTexts === undefined
  }

  get link(): Link {
    const { peer, transactions } = this
    if (this.#linkPeer !== peer) {
      this.#linkPeer = peer
      this.#linkNames = { client: peer.remoteName, server: peer.localName }
    }
    return { ...this.#linkNames, transaction: transactions }
  }

  get messageOctets(): number {
    const { limits, role } = this.options
    return role === 'submission' ? limits.submissionOctets : limits.messageOctets
  }

  /** Forgets the transaction, RFC 5321 §4.1.1.5; who is logged in and what HELO said stay. */
  reset(): void {
    if (this.phase !== 'start') this.phase = 'ready'
    if (this.transaction !== null) this.filters.reset()
    this.transaction = null
    this.incoming?.abort()
    this.incoming = null
    this.exchange = null
  }

  /** RFC 3207 §4.2: nothing that was learnt in the clear counts. */
  secured(tls: TlsFacts): void {
    this.#forget()
    this.tls = tls
  }

  #forget(): void {
    this.reset()
    this.phase = 'start'
    this.clientName = ''
    this.extended = false
    this.offer = nothingOffered
    this.account = null
  }
}

/** The first words of the server, RFC 5321 §3.1; a refusal in their place ends the connection. */
export function greeting(session: Session): Answer | Promise<Answer> {
  const welcome = (): Answer => {
    const { hostname, replyTexts, role } = session.options
    const text = replyTexts?.greeting(hostname) ?? `${hostname} ${role === 'lmtp' ? 'LMTP' : 'ESMTP'}`
    return { reply: { code: 220, status: null, lines: [text] }, next: 'command' }
  }
  try {
    session.openFilters()
    const asked = session.filters.ask('connect')
    return asked === undefined ? welcome() : asked.then(welcome, (error) => notWelcome(session, error))
  } catch (error) {
    return notWelcome(session, error)
  }
}

function notWelcome(session: Session, error: unknown): Answer {
  if (!(error instanceof Refusal)) throw error
  // RFC 5321 §4.3.2 knows two codes in place of 220.
  const reply = { ...error.reply, code: error.reply.code >= 500 ? 554 : 421 }
  noteRefusal(session, 'connect', reply)
  return { reply, next: 'close' }
}

/** Answers one complete command line: at once when nothing has to be waited for. Never throws. */
export function answer(session: Session, line: string): Answer | Promise<Answer> {
  const { verb, args } = splitLine(session, line)
  try {
    const answered = run(session, verb, args)
    if (!(answered instanceof Promise)) return answered
    return answered.catch((error) => answerToFailure(session, verb, args, error))
  } catch (error) {
    return answerToFailure(session, verb, args, error)
  }
}

/** @throws {Refusal} */
function run(session: Session, verb: string, args: string): Answer | Promise<Answer> {
  const command = commandOf(verb)
  if (command === null && isHttp(args))
    throw refuse(421, '4.7.0', 'This is a mail server, closing connection')
  if (isTooIdle(session, command, args)) throw refuse(421, '4.7.0', 'Too many commands without a message')
  if (command === null || command.roles?.includes(session.options.role) === false)
    throw refuse(500, '5.5.2', 'Command not recognized')
  // RFC 5321 §4.1.4: out of order is 503, and the transaction stays as it was.
  if (!command.phases.includes(session.phase)) throw refuse(503, '5.5.1', outOfOrder(session, verb))
  return andThen(command.run(session, args), (result) => {
    const given: Answer = 'reply' in result ? result : { reply: result, next: 'command' }
    // A wrong password is no exception to the session, and a refusal all the same.
    if (given.reply.code >= 400) noteRefusedCommand(session, verb, args, given.reply)
    return judged(session, given)
  })
}

function answerToFailure(session: Session, verb: string, args: string, error: unknown): Answer {
  if (error instanceof Refusal) {
    noteRefusedCommand(session, verb, args, error.reply)
    // A sender that is put off is asked about again without end by no honest client.
    if (verb === 'MAIL' && error.reply.code < 500) session.idleCommands++
    // RFC 5321 §3.8: whoever says 421 closes.
    return judged(session, { reply: error.reply, next: error.reply.code === 421 ? 'close' : 'command' })
  }
  session.options.log.error('smtp command failed', { verb, error })
  return { reply: { code: 451, status: '4.3.0', lines: ['Local error in processing'] }, next: 'command' }
}

/** RFC 5321 §4.5.3.1.9. The line has been thrown away; an answer to our challenge that long ends the log-in. */
export function lineTooLong(session: Session): Answer {
  // RFC 4954 §6 has a code of its own for that.
  const status = session.phase === 'auth' ? '5.5.6' : '5.5.2'
  if (session.phase === 'auth') session.phase = 'ready'
  session.exchange = null
  return counted(session, { reply: { code: 500, status, lines: ['Line too long'] }, next: 'command' })
}

/** Asking for nothing costs us as much as asking for something, and can be done for ever. */
function isTooIdle(session: Session, command: Command | null, args: string): boolean {
  const { limits, trusted } = session.options
  const verb = command?.verb
  const emptyChunk = verb === 'BDAT' && /^0+ *$/.test(args)
  if (command?.idle === true || emptyChunk) session.idleCommands++
  else if (verb === 'DATA' || verb === 'BDAT') session.idleCommands = 0
  return session.idleCommands > limits.idleCommands && !trusted.includes(session.peer.remoteAddress)
}

/**
 * A web page can make a browser say anything to us but the first line: what follows it is not for us. Scripts choose the
 * method, so it is not looked at.
 */
function isHttp(args: string): boolean {
  return /(?:^| )HTTP\/[0-9.]+$/i.test(args)
}

/** A line in the `auth` phase is no command but the answer to a challenge. */
function splitLine(session: Session, written: string): { verb: string; args: string } {
  const line = withoutBlanksAtEnd(written)
  if (session.phase === 'auth') return { verb: 'AUTH', args: line }
  const space = line.indexOf(' ')
  const verb = space < 0 ? line : line.slice(0, space)
  return { verb: verb.toUpperCase(), args: space < 0 ? '' : line.slice(space + 1) }
}

/** RFC 5321 §4.1.1: white space before the CRLF is forgiven. */
function withoutBlanksAtEnd(line: string): string {
  let end = line.length
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end--
  return end === line.length ? line : line.slice(0, end)
}

function outOfOrder(session: Session, verb: string): string {
  if (session.phase === 'start')
    return session.options.role === 'lmtp' ? 'Say LHLO first' : 'Say EHLO or HELO first'
  if (session.phase === 'chunks') return 'Say BDAT or RSET: the message has begun to come'
  if (verb === 'RCPT') return 'Say MAIL first'
  if (verb === 'DATA') return session.phase === 'ready' ? 'Say MAIL first' : 'No valid recipients'
  return 'Bad sequence of commands'
}

/** What is to be tried again is no error of the client's: 452 to each recipient over the limit, RFC 5321 §4.5.3.1.10. */
function judged(session: Session, given: Answer): Answer {
  return given.reply.code >= 500 ? counted(session, given) : given
}

/** Counts what was refused, so that a guesser or a confused client is not served for ever. */
function counted(session: Session, given: Answer): Answer {
  session.errors++
  // Misspelt, unknown or out of order; a recipient who is not here is another matter.
  if (given.reply.code <= 504 && session.account === null)
    session.options.mistaken?.(session.peer.remoteAddress)
  if (session.errors < session.options.limits.errorsPerSession) return given
  return {
    reply: { code: 421, status: '4.7.0', lines: ['Too many errors, closing connection'] },
    next: 'close',
  }
}
