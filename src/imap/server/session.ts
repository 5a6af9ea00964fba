/**
 * One IMAP session: who is logged in, which mailbox is selected, and what the client may be told when.
 *
 * `answer` takes one parsed command, writes the untagged responses and gives back the tagged one. Nothing here touches a
 * socket, TLS or a timer: connection.ts does, and a test calls `answer` without either.
 */
import type { Account } from '../../store/accounts.ts'
import type { Command, CommandName } from '../wire/command.ts'
import { Refusal, bad, refuse, type CommandResult } from '../wire/refusal.ts'
import { announce } from './announce.ts'
import { handlers } from './commands/index.ts'
import type { Dialogue } from './dialogue.ts'
import { CollectionLog } from './collection-log.ts'
import type { ImapDoorOptions } from './options.ts'
import type { Selected } from './selected.ts'
import { ImapShared } from './shared.ts'
import { isOrdinary, translateStoreError } from './store-refusal.ts'
import type { ArrivedMessage } from './arriving-message.ts'

/** RFC 3501 §3; `any` is no state of its own but fits all of them, `authenticated` fits `selected` too. */
export type NeededState = 'any' | 'not-authenticated' | 'authenticated' | 'selected'

/** What the connection does once the tagged response has been sent. */
export type Next = 'command' | 'starttls' | 'close'

export interface Answer extends CommandResult {
  readonly next?: Next
}

export interface Handler<C extends Command> {
  readonly state: NeededState
  /** Whether messages may be told to be gone behind its responses, RFC 3501 §7.4.1. */
  tellsExpunges?(command: C): boolean
  run(session: Session, command: C, given: CommandContext): Promise<Answer> | Answer
}

/** The member of the union that has this name, which may have others too. */
type Named<C extends Command, N extends CommandName> = C extends Command
  ? N extends C['name']
    ? C
    : never
  : never

export type Handlers = { readonly [N in CommandName]: Handler<Named<Command, N>> }

/** What came with the command besides its text. */
export interface CommandContext {
  readonly tag: string
  /** The command as it came, literals as `{n}`: for journeys. */
  readonly wireText: string
  /** What APPEND brought. */
  readonly message: ArrivedMessage | null
}

export class Session {
  readonly options: ImapDoorOptions
  readonly dialogue: Dialogue
  readonly shared: ImapShared
  readonly collections: CollectionLog
  account: Account | null = null
  selected: Selected | null = null
  /** Ends the subscription to changes of the account. */
  #unsubscribe: (() => void) | null = null
  /** IDLE waits to be woken by a change. */
  onChange: (() => void) | null = null
  /** What ID said, RFC 2971; null when it said nothing. */
  clientName: string | null = null
  /** Commands that were no IMAP, since log-in those in a row; past `limits.errorsPerSession` the connection ends. */
  errors = 0
  loginFailures = 0
  /** How many more names may be subscribed before they are counted again. */
  subscriptionsLeft = 0

  constructor(options: ImapDoorOptions, dialogue: Dialogue) {
    this.options = options
    this.dialogue = dialogue
    this.shared = options.shared ?? new ImapShared()
    this.collections = new CollectionLog(options)
  }

  get state(): 'not-authenticated' | 'authenticated' | 'selected' {
    if (this.account === null) return 'not-authenticated'
    return this.selected === null ? 'authenticated' : 'selected'
  }

  /** The account, in commands that need one. */
  get accountId(): number {
    if (this.account === null) throw new Error('Nobody is logged in')
    return this.account.accountId
  }

  /** The view of the mailbox, in commands that need one. */
  get view(): Selected {
    if (this.selected === null) throw new Error('No mailbox is selected')
    return this.selected
  }

  /** Begins to hear of changes in the mailbox. */
  select(selected: Selected): void {
    this.selected = selected
    this.#unsubscribe = this.options.store.subscribe(this.accountId, (change) => {
      if (this.selected?.notice(change)) this.onChange?.()
    })
  }

  /** Leaves the mailbox without removing anything. */
  deselect(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = null
    this.selected?.index.release()
    this.selected = null
  }

  /** The connection has ended. */
  end(): void {
    this.deselect()
    this.account = null
    this.dialogue.leave()
  }
}

/** Carries out one command. Never throws. */
export async function answer(session: Session, command: Command, context: CommandContext): Promise<Answer> {
  const handler = handlers[command.name] as Handler<Command>
  try {
    assertState(session, handler.state)
    if (session.selected?.index.gone)
      leaveGoneMailbox(session, handler.state === 'selected' || command.name === 'NOOP')
    const given = await carryOut(session, handler, command, context)
    await announce(session, handler.tellsExpunges?.(command) ?? true)
    return counted(session, given)
  } catch (error) {
    return counted(session, refusalOf(session, command, error).result)
  }
}

/** A command that is refused is followed by news like any other. */
async function carryOut(
  session: Session,
  handler: Handler<Command>,
  command: Command,
  context: CommandContext,
): Promise<Answer> {
  try {
    return await handler.run(session, command, context)
  } catch (error) {
    return refusalOf(session, command, error).result
  }
}

function refusalOf(session: Session, command: Command, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { log } = session.options
  const facts = { command: command.name, account: session.account?.address, error }
  // A full account or a client that has gone is nothing the person who runs the server need look at.
  if (session.dialogue.closed || isOrdinary(error)) log.debug('imap command refused', facts)
  else log.error('imap command failed', facts)
  return translateStoreError(error)
}

function assertState(session: Session, needed: NeededState): void {
  const { state } = session
  if (needed === 'any' || needed === state) return
  if (needed === 'authenticated' && state === 'selected') return
  if (needed === 'not-authenticated') throw bad('You are logged in already')
  if (state === 'not-authenticated') throw bad('Log in first')
  throw bad('No mailbox is selected')
}

/**
 * Another session deleted the mailbox: RFC 3501 knows no word for it, so this session has none selected any more.
 *
 * @param matters Whether the command is about the mailbox, and so has to fail.
 */
function leaveGoneMailbox(session: Session, matters: boolean): void {
  session.deselect()
  if (matters) throw refuse('NONEXISTENT', 'The selected mailbox has been deleted')
}

/**
 * Counts what was refused, so that a guesser or a confused client is not served for ever. Who has logged in may stay for
 * days, and ask now and then for what we do not know: docs/decisions/284.
 */
export function counted(session: Session, result: Answer): Answer {
  if (result.status === 'BAD') session.errors++
  else if (session.account !== null) session.errors = 0
  if (session.errors < session.options.limits.errorsPerSession) return result
  session.dialogue.write('* BYE Too many errors\r\n')
  return { ...result, next: 'close' }
}
