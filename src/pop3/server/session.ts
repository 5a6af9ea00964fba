/**
 * One POP3 session, RFC 1939 §3: what has been said so far, and what may be said next.
 *
 * `answer` takes one command line and gives back a reply and what happens after it has been sent. Nothing here touches
 * a socket, TLS or a timer: connection.ts does, and a test calls `answer` without either.
 *
 * Messages are removed by QUIT and by nothing else (RFC 1939 §6): its +OK means that the removal is on disk. However a
 * session ends, `close` gives the maildrop back.
 */
import type { Place } from '../../base/connection-gate.ts'
import type { TlsFacts } from '../../base/peer.ts'
import type { SaslExchange } from '../../sasl/mechanism.ts'
import { parseCommandLine } from '../wire/command-line.ts'
import { misuse, ok, refuse, Refusal, type Reply } from '../wire/reply.ts'
import { CollectionLog } from './collection-log.ts'
import { commands } from './commands/index.ts'
import type { Maildrop, MaildropMessage } from './maildrop.ts'
import type { Pop3DoorOptions } from './options.ts'

/** `sasl`: the next line answers a challenge. `update`: QUIT is at work, or was. */
export type Phase = 'authorization' | 'sasl' | 'transaction' | 'update'

/** What happens once the reply has been sent. */
export type Next = 'command' | 'stls' | 'close'

export interface Answer {
  readonly reply: Reply
  readonly next: Next
  /** The message whose journey this exchange belongs to. */
  readonly about?: MaildropMessage
}

export interface Command {
  readonly keyword: string
  readonly phases: readonly Phase[]
  run(session: Session, args: string): Promise<Answer | Reply> | Answer | Reply
}

export interface SessionPeer {
  readonly remoteAddress: string
  readonly remoteName: string
  readonly localName: string
  /** Absent: the account's connections are not counted. */
  readonly place?: Pick<Place, 'enter'>
}

export class Session {
  readonly options: Pop3DoorOptions
  readonly peer: SessionPeer
  readonly collection: CollectionLog
  phase: Phase = 'authorization'
  tls: TlsFacts | null = null
  /** What USER said, for the PASS right after it; null otherwise. */
  userName: string | null = null
  exchange: SaslExchange | null = null
  maildrop: Maildrop | null = null
  misuses = 0
  loginFailures = 0
  #unlock: (() => void) | null = null
  #closed = false

  constructor(options: Pop3DoorOptions, peer: SessionPeer) {
    this.options = options
    this.peer = peer
    this.collection = new CollectionLog(options, peer)
  }

  /** Takes a maildrop that has just been opened; gives it back at once if the client has gone meanwhile. */
  hold(maildrop: Maildrop, unlock: () => void): void {
    this.maildrop = maildrop
    this.#unlock = unlock
    if (this.#closed) this.release()
  }

  /** RFC 2595 §4: still in the AUTHORIZATION state, and what was said in the clear does not count. */
  secured(tls: TlsFacts): void {
    this.tls = tls
    this.collection.tls = tls.version
    this.userName = null
  }

  /** The connection has ended, however. While QUIT is at work the maildrop stays locked until it is done. */
  close(): void {
    this.#closed = true
    if (this.phase !== 'update') this.release()
  }

  /** Gives the maildrop back and hands over what the session recorded. Twice does nothing more. */
  release(): void {
    this.collection.handOver()
    this.maildrop?.release()
    this.maildrop = null
    this.#unlock?.()
    this.#unlock = null
  }
}

/** The lecture's and RFC 1939 §4's words. No timestamp: APOP is not offered, docs/decisions/050. */
export function greeting(session: Session): Reply {
  const reply = ok('POP3 server ready')
  session.collection.greeted(reply)
  return reply
}

/** Answers one complete line. */
export async function answer(session: Session, line: string): Promise<Answer> {
  const asked = session.collection.heard(session.phase, line)
  const given = await judge(session, line)
  session.collection.said(asked, given)
  // RFC 1939 §6: the lock is given back before the reply, so that whoever reads it may log in again at once.
  if (session.phase === 'update') session.release()
  return given
}

async function judge(session: Session, line: string): Promise<Answer> {
  let keyword = 'AUTH'
  try {
    let args = line
    if (session.phase !== 'sasl') ({ keyword, args } = parseCommandLine(line))
    // RFC 1939 §7: PASS comes immediately after USER, so any other command forgets the name.
    if (keyword !== 'PASS') session.userName = null
    const command = commands.get(keyword)
    if (command === undefined) throw misuse('Command not recognized')
    if (!command.phases.includes(session.phase)) throw misuse(outOfOrder(session))
    const result = await command.run(session, args)
    // As for IMAP, docs/decisions/284: after log-in those in a row count.
    if (session.maildrop !== null) session.misuses = 0
    return 'reply' in result ? result : { reply: result, next: 'command' }
  } catch (error) {
    if (error instanceof Refusal)
      return error.misuse ? counted(session, error.reply) : { reply: error.reply, next: 'command' }
    session.options.log.error('pop3 command failed', { keyword, error })
    return { reply: refuse('Local error in processing', 'SYS/TEMP').reply, next: 'command' }
  }
}

function outOfOrder(session: Session): string {
  return session.phase === 'authorization' ? 'Log in first' : 'Not after log-in'
}

/** Counts what was no POP3, so that a confused client is not served for ever. */
export function counted(session: Session, reply: Reply): Answer {
  session.misuses++
  if (session.misuses < session.options.limits.errorsPerSession) return { reply, next: 'command' }
  return { reply: { ...reply, text: 'Too many errors, closing connection' }, next: 'close' }
}
