import { bad, ok } from '../../wire/refusal.ts'
import { continuation } from '../../wire/response.ts'
import { announce } from '../announce.ts'
import type { Handlers, Session } from '../session.ts'

/** RFC 2177 §3: news are told as they come, until DONE. */
export const idle: Handlers['IDLE'] = {
  state: 'authenticated',

  async run(session) {
    session.dialogue.write(continuation('idling'))
    const news = new NewsTeller(session)
    session.onChange = () => news.wake()
    news.wake()
    try {
      const line = await session.dialogue.readLine(64)
      if (line === null || line.toUpperCase() !== 'DONE') throw bad('Expected DONE')
    } finally {
      session.onChange = null
      await news.ended()
    }
    return ok('Idled')
  },
}

/** Tells news one after another; what comes meanwhile is told next. */
class NewsTeller {
  readonly #session: Session
  #telling: Promise<void> | null = null
  #again = false

  constructor(session: Session) {
    this.#session = session
  }

  wake(): void {
    this.#again = true
    this.#telling ??= this.#tell()
  }

  async ended(): Promise<void> {
    await this.#telling
  }

  async #tell(): Promise<void> {
    // A burst of changes in one turn is one announcement.
    await null
    try {
      while (this.#again) {
        this.#again = false
        await announce(this.#session, true)
      }
    } catch (error) {
      this.#session.options.log.error('imap news cannot be told', { error })
    }
    this.#telling = null
  }
}
