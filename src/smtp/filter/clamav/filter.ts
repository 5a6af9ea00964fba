/**
 * ClamAV: a message goes to clamd while it arrives, in pieces of 64 KB. A small one is sent when it has come whole, so that
 * a client that takes its time holds none of clamd's threads.
 */
import type { ClamavConfig } from '../../../base/filter-config.ts'
import { refuse } from '../../wire/reply.ts'
import { standsAt } from '../doors.ts'
import {
  type FilterClient,
  type FilterEnding,
  type FilterSession,
  nothingToSay,
  type SmtpFilter,
} from '../filter.ts'
import type { FilterSurroundings } from '../reach.ts'
import { notChecked, tell } from '../verdict.ts'
import { Scan, type ScanAnswer } from './scan.ts'

const pieceOctets = 65_536

export function createClamavFilter(config: ClamavConfig, around: FilterSurroundings): SmtpFilter {
  return {
    name: config.name,
    open: (client) => (standsAt(config, client.role) ? new ClamavSession(client, config, around) : null),
  }
}

class ClamavSession implements FilterSession {
  readonly #client: FilterClient
  readonly #config: ClamavConfig
  readonly #around: FilterSurroundings
  #pieces: Buffer[] = []
  #waiting = 0
  #octets = 0
  #scan: Scan | null = null
  #error: unknown = null
  /** Changes when the message is over, so that what was waited for meanwhile is known to be late. */
  #message = {}

  constructor(client: FilterClient, config: ClamavConfig, around: FilterSurroundings) {
    this.#client = client
    this.#config = config
    this.#around = around
  }

  octets(chunk: Uint8Array): Promise<void> | undefined {
    this.#octets += chunk.length
    if (this.#error !== null || this.#tooLarge()) {
      this.#forget()
      return undefined
    }
    this.#pieces.push(Buffer.from(chunk))
    this.#waiting += chunk.length
    return this.#waiting < pieceOctets ? undefined : this.#flush().catch((error) => this.#fail(error))
  }

  async end(): Promise<FilterEnding> {
    const startUs = this.#around.clock.monotonicUs()
    let answer: ScanAnswer | null = null
    try {
      answer = await this.#ask()
    } catch (error) {
      this.#fail(error)
    }
    const us = this.#around.clock.monotonicUs() - startUs
    const ending = answer === null ? this.#failed() : this.#ending(answer)
    const said = answer?.kind === 'found' ? { virus: answer.name } : {}
    const told = {
      filter: this.#config.name,
      stage: 'message',
      answer: answer?.kind ?? 'failed',
      us,
      more: said,
    }
    tell(this.#client, ending.refusal ?? null, told)
    return ending
  }

  reset(): void {
    this.#message = {}
    this.#forget()
    this.#octets = 0
    this.#error = null
  }

  close(): void {
    this.reset()
  }

  async #ask(): Promise<ScanAnswer> {
    if (this.#error !== null) throw this.#error
    if (this.#tooLarge()) return { kind: 'too-large' }
    await this.#flush()
    return this.#scan!.answer(this.#config.timeoutMs)
  }

  async #flush(): Promise<void> {
    if (this.#scan === null) {
      const message = this.#message
      const socket = await this.#around.reach(this.#config.place, this.#config.connectTimeoutMs)
      const scan = new Scan(socket, this.#around.clock)
      if (message !== this.#message) {
        scan.destroy()
        throw new Error('The message was over before clamd answered')
      }
      this.#scan = scan
    }
    const piece = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#waiting = 0
    // A piece of length 0 would be the end.
    if (piece.length > 0) await this.#scan.write(piece)
  }

  #ending(answer: ScanAnswer): FilterEnding {
    const { onFound, tooLarge } = this.#config
    if (answer.kind === 'found') {
      const text = `Message holds ${answer.name}`
      return onFound === 'junk' ? { junk: text } : { refusal: refuse(554, '5.7.1', text) }
    }
    if (answer.kind === 'too-large' && tooLarge === 'refuse')
      return { refusal: refuse(552, '5.3.4', 'Message is too large to be checked for viruses') }
    return nothingToSay
  }

  #failed(): FilterEnding {
    return this.#config.onFailure === 'tempfail' ? { refusal: notChecked() } : nothingToSay
  }

  #tooLarge(): boolean {
    return this.#octets > this.#config.maxOctets
  }

  #fail(error: unknown): void {
    this.#error ??= error
    this.#forget()
    this.#around.log.warn('clamd failed', { filter: this.#config.name, error })
  }

  #forget(): void {
    this.#scan?.destroy()
    this.#scan = null
    this.#pieces = []
    this.#waiting = 0
  }
}
