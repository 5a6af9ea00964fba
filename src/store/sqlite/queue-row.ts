import type { DeliveryWishes, QueueEntry, QueueRecipient } from '../queue.ts'
import { noWishes } from '../queue.ts'
import type { Row, Sql } from './database.ts'

export const queueColumns = `account, queue, next_attempt_at, leased_until, created_at, expires_at, attempts, delay_warned,
  reverse_path, domain, prefix, eight_bit, smtputf8, envid, ret, journey, blob, octets, wishes`

export function queueEntryOf(sql: Sql, row: Row): QueueEntry {
  const accountId = row[0] as number
  const queueId = row[1] as number
  return {
    accountId,
    queueId,
    nextAttemptAt: row[2] as number,
    leasedUntil: row[3] as number | null,
    createdAt: row[4] as number,
    expiresAt: row[5] as number,
    attempts: row[6] as number,
    delayWarned: row[7] === 1,
    reversePath: row[8] as string,
    domain: row[9] as string,
    prefix: row[10] as string,
    eightBit: row[11] === 1,
    smtpUtf8: row[12] === 1,
    envid: row[13] as string | null,
    ret: row[14] as QueueEntry['ret'],
    journeyId: row[15] as string | null,
    body: { accountId, blobId: row[16] as number, octets: row[17] as number },
    wishes: readWishes(row[18] as string | null),
    recipients: recipientsOf(sql, accountId, queueId),
  }
}

function recipientsOf(sql: Sql, accountId: number, queueId: number): QueueRecipient[] {
  return sql
    .all(
      `SELECT forward_path, state, attempts, last_reply, orcpt, notify FROM queue_recipient
        WHERE account = ? AND queue = ? ORDER BY n`,
      accountId,
      queueId,
    )
    .map((row) => ({
      forwardPath: row[0] as string,
      state: row[1] as QueueRecipient['state'],
      attempts: row[2] as number,
      lastReply: row[3] as string | null,
      orcpt: row[4] as string | null,
      notify: row[5] as string | null,
    }))
}

/** Only what was asked for; null for nothing. */
export function writeWishes(wishes: DeliveryWishes): string | null {
  const asked = Object.entries(wishes).filter(
    ([name, value]) => value !== noWishes[name as keyof DeliveryWishes],
  )
  return asked.length === 0 ? null : JSON.stringify(Object.fromEntries(asked))
}

function readWishes(text: string | null): DeliveryWishes {
  return text === null ? noWishes : { ...noWishes, ...(JSON.parse(text) as Partial<DeliveryWishes>) }
}
