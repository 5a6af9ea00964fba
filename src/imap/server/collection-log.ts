/** What an IMAP session tells of a message's way: that its text was collected, once for each message and session. */
import type { EventData, JourneySink } from '../../journey/event.ts'
import { noJourneys } from '../../journey/event.ts'
import { Recorder } from '../../journey/recorder.ts'
import type { Clock } from '../../base/clock.ts'

export interface Collected {
  readonly emailId: number
  readonly journeyId: string | null
  readonly uid: number
  /** UTF-8. */
  readonly mailbox: string
  /** What ID said; null: nothing. */
  readonly client: string | null
  /** `address:port`. */
  readonly remoteName: string
  /** The command and its response, without the message. */
  readonly command: string
  readonly response: string
}

/** Messages of one session that are remembered as told; beyond it nothing more is recorded. */
const messagesMax = 10_000

export class CollectionLog {
  readonly #journeys: JourneySink
  readonly #clock: Clock
  readonly #told = new Set<number>()
  readonly enabled: boolean

  constructor({ journeys, clock }: { readonly journeys: JourneySink; readonly clock: Clock }) {
    this.#journeys = journeys
    this.#clock = clock
    this.enabled = journeys !== noJourneys
  }

  /** Whether this message would be recorded now. */
  wants(emailId: number): boolean {
    return this.enabled && this.#told.size < messagesMax && !this.#told.has(emailId)
  }

  record(collected: Collected): void {
    if (collected.journeyId === null || !this.wants(collected.emailId)) return
    this.#told.add(collected.emailId)
    const { uid, mailbox, client, remoteName, command, response } = collected
    const lines = [
      { side: 'C', text: command.slice(0, 1_000) },
      { side: 'S', text: response.slice(0, 1_000) },
    ]
    const data: EventData = { client, remote: remoteName, uid, mailbox, lines }
    const recorder = new Recorder(this.#clock)
    // Never the sender: when somebody reads is their own affair (architecture.md, promise 8).
    recorder.event('collected', 'collect.imap', data, { visibleTo: ['recipient', 'admin'] })
    this.#journeys.append({ journeyId: collected.journeyId, events: recorder.take() })
  }
}
