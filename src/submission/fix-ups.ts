/** What an MSA may add to a message that lacks it, RFC 6409 §8; a relay may not. */
import { timeOrderedId, type Random } from '../base/random.ts'
import { formatDate } from '../message/date.ts'
import type { MessageScan } from '../message/scan.ts'

export interface FixUpFacts {
  readonly now: number
  /** Right side of the Message-ID. */
  readonly hostname: string
  readonly random: Random
}

export interface FixUps {
  /** The fields that were missing, each with its CRLF: Date (RFC 5322 §3.6.1) and Message-ID (§3.6.4). */
  readonly fields: readonly string[]
  /** Of the message as it goes on, with its angle brackets. */
  readonly messageId: string
}

export function fixUp(scan: MessageScan, facts: FixUpFacts): FixUps {
  const present = new Set(scan.headerFields.map((field) => field.name.toLowerCase()))
  const fields: string[] = []
  if (!present.has('date')) fields.push(`Date: ${formatDate(facts.now)}\r\n`)
  if (present.has('message-id')) return { fields, messageId: scan.envelope.messageId ?? '' }
  const messageId = `<${timeOrderedId(facts.now, facts.random)}@${facts.hostname}>`
  return { fields: [...fields, `Message-ID: ${messageId}\r\n`], messageId }
}
