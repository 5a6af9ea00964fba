/**
 * One mail transaction: MAIL, RCPT, DATA, the message, and what became of each recipient. RFC 5321 §3.3.
 *
 * A recipient counts as delivered only after 2yz to the final dot. When the connection ends before that reply, its
 * recipients are temporary, though the server may have the message: mail is sent twice rather than lost. The final dot
 * is written only behind a message that is whole.
 */
import type { Reply } from '../wire/reply.ts'
import { type Dialect, isWritablePath, mailCommand, needsSmtpUtf8, rcptCommand } from './commands.ts'
import { type Connection, ConversationLost } from './connection.ts'
import { DotStuffer } from './dot-stuffing.ts'
import {
  MessageUnreadable,
  type Outcome,
  type OutcomeStage,
  type OutgoingMessage,
  type OutgoingRecipient,
} from './message.ts'
import { isPositive, lostOutcome, oddReply, outcomeOf, ownOutcome } from './outcome.ts'
import type { SmtpClientLimits } from './timeouts.ts'

/** Octets that are read, stuffed and handed to TCP at once. */
const blockOctets = 65_536

export interface TransactionOptions {
  readonly connection: Connection
  readonly extensions: ReadonlyMap<string, string>
  readonly dialect: Dialect
  readonly limits: SmtpClientLimits
  /** The server still has the transaction before this one open: RSET goes first. */
  readonly resetFirst: boolean
  /** Over TLS, with a certificate that is good for the server's name. */
  readonly secured: boolean
}

export class Transaction {
  readonly outcomes = new Map<string, Outcome>()
  /** The server may still think of this transaction as open. */
  needsReset = false
  /** The message was asked for (354): what both sides count transactions by. */
  reachedData = false
  /** What ended it before its time, for the log. */
  failure: unknown = null
  readonly #options: TransactionOptions
  readonly #message: OutgoingMessage
  #accepted: OutgoingRecipient[] = []
  #dotSent = false

  constructor(message: OutgoingMessage, options: TransactionOptions) {
    this.#message = message
    this.#options = options
  }

  /** Runs it to its end; afterwards every recipient has an outcome. */
  async run(): Promise<void> {
    const impossible = whyImpossible(this.#message, this.#options.extensions, this.#options.secured)
    if (impossible !== null) {
      this.#settleRest(impossible)
      return
    }
    const writable = this.#message.recipients.filter((recipient) => this.#isWritable(recipient))
    if (writable.length === 0) return
    let stage: OutcomeStage = 'mail'
    try {
      const atStage = (next: OutcomeStage): void => {
        stage = next
      }
      const inChunks = this.#message.asks?.binary === true
      const { extensions, dialect } = this.#options
      const pipelined = extensions.has('PIPELINING') && dialect === 'esmtp' && !inChunks
      const proceed = pipelined
        ? await this.#envelopeAtOnce(writable, atStage)
        : await this.#envelopeStepwise(writable, atStage)
      if (!proceed) return
      stage = 'data'
      if (inChunks) {
        if (!(await this.#sendChunks())) return
      } else await this.#sendMessage()
      stage = 'end-of-data'
      await this.#finish()
    } catch (error) {
      this.failure = error
      this.#settleRest(lostOutcome(error, this.#dotSent ? 'end-of-data' : stage))
      // Half a message on the wire, or replies still owed: this connection is of no use to anybody.
      this.#options.connection.destroy()
    }
  }

  /** RFC 2920 §3.1: the whole envelope in one write, DATA as its last command. @returns Whether to go on. */
  async #envelopeAtOnce(
    recipients: readonly OutgoingRecipient[],
    atStage: (stage: OutcomeStage) => void,
  ): Promise<boolean> {
    const { connection, extensions, dialect, limits, resetFirst } = this.#options
    connection.send(
      ...(resetFirst ? ['RSET'] : []),
      mailCommand(this.#message, extensions, dialect),
      ...recipients.map((recipient) => rcptCommand(recipient, extensions, dialect)),
      'DATA',
    )
    if (resetFirst) await this.#readReset()
    const mailOpen = this.#readMail(await connection.reply(limits.mailTimeoutMs, 'MAIL'))
    for (const recipient of recipients) {
      if (mailOpen) atStage('rcpt')
      const reply = await connection.reply(limits.rcptTimeoutMs, 'RCPT')
      if (mailOpen) this.#readRcpt(recipient, reply)
    }
    if (mailOpen) atStage('data')
    const ready = await connection.reply(limits.dataTimeoutMs, 'DATA')
    if (ready.code === 354 && this.#accepted.length === 0) {
      // RFC 2920 §3.1: it asks for a message that has no recipient; an empty one ends that.
      this.needsReset = true
      connection.recorder.wire('C', '.')
      connection.expectMessageReply()
      await connection.sendBlock('.\r\n', limits.blockTimeoutMs)
      await connection.reply(limits.endOfDataTimeoutMs, 'the empty message')
      return false
    }
    return this.#readData(ready)
  }

  /** For a server without PIPELINING: every command waits for its reply. @returns Whether to go on. */
  async #envelopeStepwise(
    recipients: readonly OutgoingRecipient[],
    atStage: (stage: OutcomeStage) => void,
  ): Promise<boolean> {
    const { connection, extensions, dialect, limits, resetFirst } = this.#options
    if (resetFirst) {
      connection.send('RSET')
      await this.#readReset()
    }
    connection.send(mailCommand(this.#message, extensions, dialect))
    if (!this.#readMail(await connection.reply(limits.mailTimeoutMs, 'MAIL'))) return false
    atStage('rcpt')
    for (const recipient of recipients) {
      connection.send(rcptCommand(recipient, extensions, dialect))
      const reply = await connection.reply(limits.rcptTimeoutMs, 'RCPT')
      const outcome = this.#readRcpt(recipient, reply)
      // RFC 5321 §4.5.3.1.10: too many; the others get their turn in another transaction.
      if (outcome?.status === '4.5.3' && this.#accepted.length > 0) {
        this.#settleRest(outcome, this.#accepted)
        break
      }
    }
    if (this.#accepted.length === 0) {
      this.needsReset = true
      return false
    }
    if (this.#message.asks?.binary === true) return true
    atStage('data')
    connection.send('DATA')
    return this.#readData(await connection.reply(limits.dataTimeoutMs, 'DATA'))
  }

  /** RFC 5321 §4.1.1.5 knows only 250 here. Without it MAIL would be refused for what another message left behind. */
  async #readReset(): Promise<void> {
    const { connection, limits } = this.#options
    const reply = await connection.reply(limits.mailTimeoutMs, 'RSET')
    if (!isPositive(reply)) throw new ConversationLost('The server did not take RSET', 'protocol')
  }

  #readMail(reply: Reply): boolean {
    if (isPositive(reply)) return true
    this.#settleRest(oddReply(reply, 'mail'))
    return false
  }

  /** @returns Null when the recipient was accepted. */
  #readRcpt(recipient: OutgoingRecipient, reply: Reply): Outcome | null {
    if (isPositive(reply)) {
      this.#accepted.push(recipient)
      return null
    }
    const outcome = rcptOutcome(reply, this.#accepted.length > 0)
    this.outcomes.set(recipient.forwardPath, outcome)
    return outcome
  }

  #readData(reply: Reply): boolean {
    if (reply.code === 354) {
      this.reachedData = true
      return true
    }
    this.needsReset = true
    this.#settleRest(oddReply(reply, 'data'))
    // A second class of 2yz or 3yz here leaves both sides in different states.
    if (reply.code < 400) this.#options.connection.destroy()
    return false
  }

  /** Prefix and body, stuffed, block by block as fast as the server takes them; then the dot. */
  async #sendMessage(): Promise<void> {
    const { connection, dialect, limits } = this.#options
    const { body } = this.#message
    // The lecture's letter travels as Alice wrote it, without the fields her server adds, docs/decisions/072.
    const prefix = dialect === 'lecture' ? '' : this.#message.prefix
    const stuffer = new DotStuffer()
    connection.expectMessageReply()
    let waiting = stuffer.encode(Buffer.from(prefix, 'latin1'))
    let octets = prefix.length
    for (let offset = 0; ; ) {
      const block = await readBlock(body, offset)
      // The server has made up its mind before the end: no need for the rest.
      if (connection.replyWaiting) return
      if (connection.lost !== null) throw connection.lost
      if (block.length === 0) break
      offset += block.length
      octets += block.length
      const stuffed = stuffer.encode(block)
      if (waiting.length === 0) {
        waiting = stuffed
      } else if (waiting.length + stuffed.length <= blockOctets) {
        waiting = Buffer.concat([waiting, stuffed])
      } else {
        await connection.sendBlock(waiting, limits.blockTimeoutMs)
        waiting = stuffed
      }
    }
    connection.recorder.wire('C', `(message, ${octets} octets)`)
    connection.recorder.wire('C', '.')
    this.#dotSent = true
    const end = Buffer.from(stuffer.end(), 'latin1')
    await connection.sendBlock(Buffer.concat([waiting, end]), limits.blockTimeoutMs)
  }

  /**
   * RFC 3030 §2: each chunk is owed a reply; the last one's is that to the message, which `#finish` reads.
   *
   * @returns Whether all of them were taken.
   */
  async #sendChunks(): Promise<boolean> {
    const { connection, limits } = this.#options
    const { body, prefix } = this.#message
    this.reachedData = true
    let chunk: Uint8Array = Buffer.from(prefix, 'latin1')
    for (let offset = 0; ; ) {
      const next = await readBlock(body, offset)
      if (connection.lost !== null) throw connection.lost
      const last = next.length === 0
      connection.send(`BDAT ${chunk.length}${last ? ' LAST' : ''}`)
      // Up to the reply to this chunk.
      await connection.sendBlock(chunk, limits.blockTimeoutMs)
      this.#dotSent = last
      if (last) return true
      const reply = await connection.reply(limits.endOfDataTimeoutMs, 'BDAT')
      if (!isPositive(reply)) {
        // It may have said so before it had all of the chunk: what follows would be taken for commands, or for octets.
        this.#settleRest(oddReply(reply, 'data'))
        connection.destroy()
        return false
      }
      offset += next.length
      chunk = next
    }
  }

  async #finish(): Promise<void> {
    const { connection, limits } = this.#options
    const reply = await connection.reply(limits.endOfDataTimeoutMs, 'the message')
    // 2yz before the dot, or no class of reply that belongs here.
    const odd = reply.code < 400 && (!this.#dotSent || !isPositive(reply))
    this.#settleRest(odd ? oddReply(reply, 'end-of-data') : outcomeOf(reply, 'end-of-data'))
    if (odd || !this.#dotSent) connection.destroy()
  }

  #isWritable(recipient: OutgoingRecipient): boolean {
    if (isWritablePath(recipient.forwardPath)) return true
    const text = 'Cannot send to this address: it cannot be written as a path'
    this.outcomes.set(recipient.forwardPath, ownOutcome('permanent', 'rcpt', '5.1.3', text))
    return false
  }

  /** Gives the outcome to everybody who has none yet, but for those in `except`. */
  #settleRest(outcome: Outcome, except: readonly OutgoingRecipient[] = []): void {
    for (const recipient of this.#message.recipients) {
      if (except.includes(recipient) || this.outcomes.has(recipient.forwardPath)) continue
      this.outcomes.set(recipient.forwardPath, outcome)
    }
  }
}

/** What no command can change, said before the server is bothered; null when there is nothing. */
function whyImpossible(
  message: OutgoingMessage,
  extensions: ReadonlyMap<string, string>,
  secured: boolean,
): Outcome | null {
  if (message.asks?.requireTls === true && !secured) {
    // RFC 8689 §4.2.1.
    return ownOutcome(
      'permanent',
      'mail',
      '5.7.10',
      'Its sender requires TLS, and this conversation has none',
    )
  }
  const late = whyLate(message, extensions)
  if (late !== null) return late
  if (message.asks?.binary === true && !(extensions.has('CHUNKING') && extensions.has('BINARYMIME'))) {
    // RFC 3030 §3: converted, or returned; docs/decisions/021 says why it is returned.
    const text = 'The server does not take binary mail (BINARYMIME), and this message is binary'
    return ownOutcome('permanent', 'mail', '5.6.3', text)
  }
  // RFC 6531 §3.5.
  if (needsSmtpUtf8(message) && !extensions.has('SMTPUTF8')) {
    return ownOutcome(
      'permanent',
      'mail',
      '5.6.7',
      'The server does not take internationalised mail (SMTPUTF8)',
    )
  }
  // RFC 6152 §3: converted, or returned; docs/decisions/021 says why it is returned.
  if (message.eightBit && message.asks?.binary !== true && !extensions.has('8BITMIME')) {
    return ownOutcome(
      'permanent',
      'mail',
      '5.6.3',
      'The server takes 7-bit mail only, and this message is 8-bit',
    )
  }
  // RFC 1870 §6.1: 0 or nothing stands for no fixed bound.
  const size = extensions.get('SIZE') ?? ''
  if (/^[1-9][0-9]{0,14}$/.test(size) && message.octets > Number(size)) {
    const text = `The message has ${message.octets} octets, the server takes ${size}`
    return ownOutcome('permanent', 'mail', '5.3.4', text)
  }
  if (message.reversePath !== '' && !isWritablePath(message.reversePath)) {
    return ownOutcome('permanent', 'mail', '5.1.7', 'The reverse-path cannot be written as one')
  }
  return null
}

/** RFC 2852: what is to be returned when it is late goes only where that promise is kept. */
function whyLate(message: OutgoingMessage, extensions: ReadonlyMap<string, string>): Outcome | null {
  const deliverBy = message.asks?.deliverBy ?? null
  if (deliverBy === null || deliverBy.mode === 'N') return null
  const least = extensions.get('DELIVERBY')
  if (least === undefined) {
    const text =
      'The server makes no promise about the time of delivery (DELIVERBY), and the sender asks for one'
    return ownOutcome('permanent', 'mail', '5.4.7', text)
  }
  if (/^[0-9]{1,9}$/.test(least) && deliverBy.seconds < Number(least)) {
    const text = `The server needs ${least} seconds to deliver, and ${deliverBy.seconds} are left`
    return ownOutcome('permanent', 'mail', '5.4.7', text)
  }
  return null
}

/**
 * RFC 5321 §4.5.3.1.10: RFC 821 had 552 for "too many recipients", which is temporary. A 552 whose status says something
 * else (a full mailbox) means what it says.
 */
function rcptOutcome(reply: Reply, othersAccepted: boolean): Outcome {
  const outcome = oddReply(reply, 'rcpt')
  const tooMany = reply.status === '5.5.3' || (reply.status === null && othersAccepted)
  if (reply.code !== 552 || !tooMany) return outcome
  return { ...outcome, kind: 'temporary', status: '4.5.3' }
}

async function readBlock(body: OutgoingMessage['body'], offset: number): Promise<Uint8Array> {
  try {
    return await body(offset, blockOctets)
  } catch (error) {
    throw new MessageUnreadable({ cause: error })
  }
}
