import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { isSubdomainOrSame } from '../../mailauth/domain.ts'
import { type MethodResult, parseAuthenticationResults } from '../../mailauth/results-field.ts'
import { parseHeader, fieldText } from '../../message/header.ts'
import type { BodyRef } from '../../store/body.ts'
import type { Email } from '../../store/store.ts'
import type { ReceivedReports } from './received-reports.ts'

/** A letter as it was filed. */
export interface LetterPlace {
  readonly accountId: number
  readonly emailId: number
}

export interface LetterReader {
  getEmails(accountId: number, emailIds: readonly number[]): Promise<(Email | null)[]>
  readBody(body: BodyRef, offset: number, octets: number): Promise<Uint8Array>
}

const pieceOctets = 262_144

export interface LetterWorld {
  readonly store: LetterReader
  readonly reports: ReceivedReports
  /** Ours: whose Authentication-Results count. */
  readonly hostname: string
  /** Of a letter that is read. */
  readonly octetsMax: number
  readonly clock: Clock
  readonly log: Log
}

/** Letters that wait to be read; when more come at once, their reports stay unread in the mailbox. */
const waitingMax = 1_000

/**
 * Brings letters that were filed to where reports are read, one at a time: however many come, one is in memory. Never
 * rejects: a letter lies in its mailbox, whatever becomes of its report.
 */
export class LetterTaker {
  readonly #world: LetterWorld
  readonly #waiting: LetterPlace[] = []
  #running = false

  constructor(world: LetterWorld) {
    this.#world = world
  }

  take(place: LetterPlace): void {
    if (this.#waiting.length >= waitingMax) {
      this.#world.log.warn('too many letters for reports at once: one is not read')
      return
    }
    this.#waiting.push(place)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let place = this.#waiting.shift(); place !== undefined; place = this.#waiting.shift())
      await takeLetter(place, this.#world)
    this.#running = false
  }
}

async function takeLetter({ accountId, emailId }: LetterPlace, world: LetterWorld): Promise<void> {
  const { store, reports, hostname, octetsMax, clock, log } = world
  try {
    const [email] = await store.getEmails(accountId, [emailId])
    if (email === null || email === undefined || email.body.octets > octetsMax) return
    const message = new Uint8Array(email.body.octets)
    for (let offset = 0; offset < message.length; ) {
      const piece = await store.readBody(email.body, offset, Math.min(pieceOctets, message.length - offset))
      if (piece.length === 0) return
      message.set(piece, offset)
      offset += piece.length
    }
    await reports.take(message, { receivedAt: clock.now(), ...proofOf(email.prefix, hostname) })
  } catch (error) {
    log.error('letter for reports cannot be read', { error })
  }
}

/**
 * The prefix is ours: what strangers wrote stands below it.
 *
 * @returns Whether DMARC passed; and whether it is known that the domain of its author did not sign it.
 */
function proofOf(prefix: string, hostname: string): { verified: boolean; unsigned: boolean } {
  for (const { name, value } of parseHeader(prefix).fields) {
    if (name.toLowerCase() !== 'authentication-results') continue
    const found = parseAuthenticationResults(fieldText(value))
    if (found?.server !== hostname) continue
    const dmarc = found.results.find(({ method }) => method === 'dmarc')
    const signatures = found.results.filter(({ method }) => method === 'dkim')
    const author = headerOf(dmarc, 'from')
    const signed = signatures.some((one) => one.result === 'pass' && isRelated(headerOf(one, 'd'), author))
    return { verified: dmarc?.result === 'pass', unsigned: signatures.length > 0 && !signed }
  }
  return { verified: false, unsigned: false }
}

function headerOf(result: MethodResult | undefined, property: string): string | null {
  return result?.properties.find((one) => one.type === 'header' && one.property === property)?.value ?? null
}

function isRelated(domain: string | null, author: string | null): boolean {
  if (domain === null || author === null) return true
  return isSubdomainOrSame(domain, author) || isSubdomainOrSame(author, domain)
}
