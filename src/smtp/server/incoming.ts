/**
 * A message while it arrives.
 *
 * After `finish` has answered 250 the message is on disk: filed, or in the queue, or both, in one transaction. Whatever
 * goes wrong before is answered 4xx (ours: try again) or 5xx (the message itself), and nothing is kept.
 */
import { timeOrderedId } from '../../base/random.ts'
import { StoreUnavailable } from '../../store/errors.ts'
import { Refusal, refuse, type Reply } from '../wire/reply.ts'
import { acceptMessage, type Outcome } from './accept.ts'
import { Intake } from './intake.ts'
import type { Session } from './session.ts'

export class IncomingMessage {
  readonly journeyId: string
  readonly #session: Session
  #octets = 0
  readonly #intake: Intake
  /** Why the message will be refused although the rest of it is still read: the client listens only at its end. */
  #refusal: Refusal | null = null
  /** What was made of it; null until it has been taken. */
  outcome: Outcome | null = null

  constructor(session: Session) {
    const { clock, random } = session.options
    this.#session = session
    this.journeyId = timeOrderedId(clock.now(), random)
    this.#intake = new Intake(session.options, session.transaction?.mail.body === 'BINARYMIME')
  }

  /** Message octets so far, dots removed. */
  get octets(): number {
    return this.#octets
  }

  get refusal(): Refusal | null {
    return this.#refusal
  }

  /** Nobody has to read for ever: whoever sends twice the size is cut off. */
  get endless(): boolean {
    return this.octets > 2 * this.#session.messageOctets
  }

  /** The next octets of it; waits while the disk or a filter cannot keep up. */
  take(chunk: Uint8Array): Promise<void> | undefined {
    this.#octets += chunk.length
    if (this.octets > this.#session.messageOctets)
      this.fail(refuse(552, '5.3.4', 'Message size exceeds fixed maximum message size'))
    if (this.#refusal !== null) return undefined
    try {
      const heard = this.#session.filters.octets(chunk)
      const waiting =
        heard === undefined ? this.#intake.push(chunk) : heard.then(() => this.#intake.push(chunk))
      return waiting?.catch((error: unknown) => this.fail(asRefusal(this.#session, error)))
    } catch (error) {
      this.fail(asRefusal(this.#session, error))
      return undefined
    }
  }

  abort(): void {
    this.#intake.abort()
  }

  fail(refusal: Refusal): void {
    this.#refusal ??= refusal
    this.abort()
  }

  /** The replies at its end: one, or with LMTP one for each recipient. Never throws. */
  async finish(): Promise<readonly Reply[]> {
    if (this.#refusal !== null) return this.#toEach(this.#refusal.reply)
    try {
      this.outcome = await acceptMessage(this.#session, {
        journeyId: this.journeyId,
        octets: this.octets,
        intake: this.#intake,
      })
      const { replyTexts } = this.#session.options
      const text = replyTexts?.accepted ?? `Message accepted for delivery, ${this.journeyId}`
      return this.#toEach({ code: 250, status: '2.0.0', lines: [text] })
    } catch (error) {
      this.abort()
      return this.#toEach(asRefusal(this.#session, error).reply)
    }
  }

  /** RFC 2033 §4.2: with LMTP one reply for each RCPT that was good, in their order. */
  #toEach(reply: Reply): readonly Reply[] {
    const { options, recipients } = this.#session
    if (options.role !== 'lmtp') return [reply]
    return recipients.map(({ forwardPath }) => this.outcome?.late.get(forwardPath) ?? reply)
  }
}

/** Trouble that is ours to mend is temporary: RFC 5321 §4.2.4.2 (452, 451). */
function asRefusal({ options }: Session, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof StoreUnavailable)
    return refuse(452, '4.3.1', 'Insufficient system storage, try again later', { cause: error })
  options.log.error('smtp message failed', { error })
  return refuse(451, '4.3.0', 'Local error in processing', { cause: error })
}
