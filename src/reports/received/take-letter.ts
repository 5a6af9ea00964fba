import type { Log } from '../../base/log.ts'
import { parseAuthenticationResults } from '../../mailauth/results-field.ts'
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

/**
 * Brings a letter that was filed to where reports are read. Never rejects: the letter lies in its mailbox, whatever
 * becomes of the report.
 *
 * @param hostname Ours: whose Authentication-Results count.
 */
export async function takeLetter(
  { accountId, emailId }: LetterPlace,
  around: {
    readonly store: LetterReader
    readonly reports: ReceivedReports
    readonly hostname: string
    readonly octetsMax: number
    readonly receivedAt: number
    readonly log: Log
  },
): Promise<void> {
  const { store, reports, receivedAt, log } = around
  try {
    const [email] = await store.getEmails(accountId, [emailId])
    if (email === null || email === undefined || email.body.octets > around.octetsMax) return
    const message = new Uint8Array(email.body.octets)
    for (let offset = 0; offset < message.length; ) {
      const piece = await store.readBody(email.body, offset, Math.min(pieceOctets, message.length - offset))
      if (piece.length === 0) return
      message.set(piece, offset)
      offset += piece.length
    }
    await reports.take(message, { receivedAt, verified: dmarcPassed(email.prefix, around.hostname) })
  } catch (error) {
    log.error('letter for reports cannot be read', { error })
  }
}

/** The prefix is ours: what strangers wrote stands below it. */
function dmarcPassed(prefix: string, hostname: string): boolean {
  return parseHeader(prefix).fields.some(({ name, value }) => {
    if (name.toLowerCase() !== 'authentication-results') return false
    const found = parseAuthenticationResults(fieldText(value))
    const dmarc = found?.results.find(({ method }) => method === 'dmarc')
    return found?.server === hostname && dmarc?.result === 'pass'
  })
}
