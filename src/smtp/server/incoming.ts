/**
 * A message while it arrives after DATA, and what is decided about it at the end.
 *
 * After `finish` has answered 250 the message is on disk: filed, or in the queue, or both, in one transaction. Whatever
 * goes wrong before is answered 4xx (ours: try again) or 5xx (the message itself), and nothing is kept.
 */
import { planDelivery } from '../../delivery/make-plan.ts'
import type { DeliveryPlan } from '../../delivery/plan.ts'
import { MessageScanner, type MessageScan } from '../../message/scan.ts'
import type { BodySink, StagedBody } from '../../store/body.ts'
import { StoreUnavailable } from '../../store/errors.ts'
import { noWishes } from '../../store/queue.ts'
import type { Accepted } from '../../store/store.ts'
import { timeOrderedId } from '../../base/random.ts'
import { BccFilter } from '../../submission/bcc-filter.ts'
import { fixUp } from '../../submission/fix-ups.ts'
import { findBorrowedName } from '../../submission/may-send-as.ts'
import { DataReader } from '../wire/data-reader.ts'
import { formatMailbox } from '../wire/path.ts'
import { Refusal, refuse, type Reply } from '../wire/reply.ts'
import { checkMessage } from './check-message.ts'
import { recordAccepted } from './journey.ts'
import { receivedField } from './received.ts'
import type { Session } from './session.ts'

export interface Pushed {
  /** `abandon`: answer with `refusal()` and close. */
  readonly state: 'more' | 'end' | 'abandon'
  readonly rest: Uint8Array
}

const nothing = new Uint8Array(0)

export class IncomingMessage {
  readonly journeyId: string
  readonly #session: Session
  readonly #reader = new DataReader()
  readonly #scanner: MessageScanner
  #sink: BodySink | null
  /** What is handed in goes on without its Bcc fields. */
  readonly #bcc: BccFilter | null
  /** Why the message will be refused although the rest of it is still read: the client listens only after its dot. */
  #refusal: Refusal | null = null
  /** What was made of it; null until it has been accepted. */
  accepted: Accepted | null = null
  scan: MessageScan | null = null
  /** As the message goes on, with its angle brackets; null while it has none. */
  messageId: string | null = null

  constructor(session: Session) {
    const { limits, clock, random, store } = session.options
    this.#session = session
    this.journeyId = timeOrderedId(clock.now(), random)
    this.#scanner = new MessageScanner({
      headerOctets: limits.headerOctets,
      headerFields: limits.headerFields,
      parts: limits.mimeParts,
      nesting: limits.mimeNesting,
    })
    this.#sink = store.openBody()
    this.#bcc = session.options.role === 'submission' ? new BccFilter(limits.headerOctets) : null
  }

  /** Message octets so far, dots removed. */
  get octets(): number {
    return this.#reader.octets
  }

  /** Takes the next octets from the connection; waits while the disk cannot keep up. */
  async push(octets: Uint8Array): Promise<Pushed> {
    const event = this.#reader.push(octets)
    for (const chunk of event.chunks) await this.#keep(this.#bcc?.push(chunk) ?? [chunk])
    if (this.#reader.octets > this.#session.messageOctets) {
      this.#fail(refuse(552, '5.3.4', 'Message size exceeds fixed maximum message size'))
      // Nobody has to read for ever: whoever sends twice the size is cut off.
      if (this.#reader.octets > 2 * this.#session.messageOctets) return { state: 'abandon', rest: nothing }
    }
    if (event.state === 'ambiguous') {
      this.#fail(refuse(550, '5.6.0', 'A line of one dot must begin and end with CRLF: message refused'))
      return { state: 'abandon', rest: nothing }
    }
    return { state: event.state, rest: event.rest }
  }

  async #keep(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      if (this.#sink === null) return
      this.#scanner.push(piece)
      try {
        const wait = this.#sink.write(piece)
        if (wait !== undefined) await wait
      } catch (error) {
        this.#fail(storeRefusal(error))
      }
    }
  }

  refusal(): Reply {
    this.abort()
    return (this.#refusal ?? refuse(451, '4.3.0', 'Local error in processing')).reply
  }

  abort(): void {
    this.#sink?.abort()
    this.#sink = null
  }

  #fail(refusal: Refusal): void {
    this.#refusal ??= refusal
    this.abort()
  }

  /** The reply after the dot. Never throws. */
  async finish(): Promise<Reply> {
    const session = this.#session
    try {
      await this.#keep(this.#bcc?.finish() ?? [])
      if (this.#refusal !== null || this.#sink === null) return this.refusal()
      const scan = this.#scanner.finish()
      this.scan = scan
      checkMessage(scan, this.#reader.longestLine, session.options.limits)
      await this.#checkAuthors(scan)
      const staged = await this.#sink.finish()
      this.#sink = null
      this.accepted = await this.#accept(staged, scan)
      const { replyTexts } = session.options
      const text = replyTexts?.accepted ?? `Message accepted for delivery, ${this.journeyId}`
      return { code: 250, status: '2.0.0', lines: [text] }
    } catch (error) {
      this.abort()
      if (error instanceof Refusal) return error.reply
      if (!(error instanceof StoreUnavailable)) session.options.log.error('smtp message failed', { error })
      return storeRefusal(error).reply
    }
  }

  /** RFC 6409 §6.1 for the header: a login writes in nobody else's name here. @throws {Refusal} */
  async #checkAuthors({ envelope }: MessageScan): Promise<void> {
    const { account, options } = this.#session
    if (account === null) return
    const borrowed = await findBorrowedName(options.store, account, [...envelope.from, ...envelope.sender])
    if (borrowed === null) return
    throw refuse(550, '5.7.1', `You are logged in as ${account.address} and may not write as ${borrowed}`)
  }

  async #accept(body: StagedBody, scan: MessageScan): Promise<Accepted> {
    const plan = this.#plan(scan)
    const [result] = await this.#session.options.store.accept([{ body, scan, ...plan }])
    if (result === undefined || result instanceof Error) throw result ?? new Error('The store did not answer')
    recordAccepted(this.#session, scan, plan, result)
    return result
  }

  #plan(scan: MessageScan): DeliveryPlan {
    const session = this.#session
    const { role, clock, hostname, random, limits } = session.options
    const now = clock.now()
    const { messageId } = scan.envelope
    // RFC 6409 §8: a submission server may complete a message; a relay takes it as it is.
    const fixUps = role === 'submission' ? fixUp(scan, { now, hostname, random }) : { fields: [], messageId }
    this.messageId = fixUps.messageId
    return planDelivery({
      reversePath: session.reversePath === null ? '' : formatMailbox(session.reversePath),
      senderAccountId: session.account?.accountId ?? 0,
      recipients: session.recipients,
      received: (forPath) => receivedField(session, this.journeyId, forPath, now),
      fields: fixUps.fields,
      hasHeader: scan.hasHeader,
      eightBit: scan.eightBit,
      smtpUtf8: false,
      envid: null,
      ret: null,
      wishes: noWishes,
      junk: false,
      now,
      queueLifeMs: limits.queueLifeMs,
      journeyId: this.journeyId,
    })
  }
}

/** Ours to mend, so temporary: RFC 5321 §4.2.4.2 (452, 451). */
function storeRefusal(error: unknown): Refusal {
  if (error instanceof StoreUnavailable)
    return refuse(452, '4.3.1', 'Insufficient system storage, try again later', { cause: error })
  return refuse(451, '4.3.0', 'Local error in processing', { cause: error })
}
