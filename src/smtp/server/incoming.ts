/**
 * A message while it arrives after DATA.
 *
 * After `finish` has answered 250 the message is on disk: filed, or in the queue, or both, in one transaction. Whatever
 * goes wrong before is answered 4xx (ours: try again) or 5xx (the message itself), and nothing is kept.
 */
import { timeOrderedId } from '../../base/random.ts'
import { StoreUnavailable } from '../../store/errors.ts'
import { DataReader } from '../wire/data-reader.ts'
import { Refusal, refuse, type Reply } from '../wire/reply.ts'
import { acceptMessage, type Outcome } from './accept.ts'
import { Intake } from './intake.ts'
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
  readonly #intake: Intake
  /** Why the message will be refused although the rest of it is still read: the client listens only after its dot. */
  #refusal: Refusal | null = null
  /** What was made of it; null until it has been taken. */
  outcome: Outcome | null = null

  constructor(session: Session) {
    const { clock, random } = session.options
    this.#session = session
    this.journeyId = timeOrderedId(clock.now(), random)
    this.#intake = new Intake(session.options)
  }

  /** Message octets so far, dots removed. */
  get octets(): number {
    return this.#reader.octets
  }

  /** Takes the next octets from the connection; waits while the disk or a filter cannot keep up. */
  async push(octets: Uint8Array): Promise<Pushed> {
    const event = this.#reader.push(octets)
    for (const chunk of event.chunks) await this.#keep(chunk)
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

  async #keep(chunk: Uint8Array): Promise<void> {
    if (this.#refusal !== null) return
    try {
      const wait = this.#session.filters.octets(chunk)
      if (wait !== undefined) await wait
      await this.#intake.push(chunk)
    } catch (error) {
      this.#fail(asRefusal(this.#session, error))
    }
  }

  refusal(): Reply {
    this.abort()
    return (this.#refusal ?? refuse(451, '4.3.0', 'Local error in processing')).reply
  }

  abort(): void {
    this.#intake.abort()
  }

  #fail(refusal: Refusal): void {
    this.#refusal ??= refusal
    this.abort()
  }

  /** The reply after the dot. Never throws. */
  async finish(): Promise<Reply> {
    if (this.#refusal !== null) return this.refusal()
    try {
      this.outcome = await acceptMessage(this.#session, {
        journeyId: this.journeyId,
        octets: this.#reader.octets,
        longestLine: this.#reader.longestLine,
        intake: this.#intake,
      })
      const { replyTexts } = this.#session.options
      const text = replyTexts?.accepted ?? `Message accepted for delivery, ${this.journeyId}`
      return { code: 250, status: '2.0.0', lines: [text] }
    } catch (error) {
      this.abort()
      return asRefusal(this.#session, error).reply
    }
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
