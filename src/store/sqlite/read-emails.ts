import type { Email } from '../store.ts'
import type { Row, Sql } from './database.ts'

/** Emails of one call. */
export const emailsAtOnce = 500
/** A range of numbers is read as one when at least every so many-th of it is wanted: others' rows lie in between. */
const sparseness = 4

const columns =
  'email, account, thread, blob, body_octets, prefix, envelope, body_structure, structure, journey'

/** @returns In the order asked for; null for what is gone, or somebody else's. */
export function readEmails(sql: Sql, accountId: number, emailIds: readonly number[]): (Email | null)[] {
  if (emailIds.length > emailsAtOnce) throw new Error(`Cannot read more than ${emailsAtOnce} emails at once`)
  const first = Math.min(...emailIds)
  const last = Math.max(...emailIds)
  const found = new Map<number, Email>()
  if (emailIds.length > 4 && last - first < emailIds.length * sparseness) {
    const rows = sql.all(`SELECT ${columns} FROM email WHERE email BETWEEN ? AND ?`, first, last)
    for (const row of rows) if (row[1] === accountId) found.set(row[0] as number, emailOf(row))
  } else {
    for (const id of emailIds) {
      const row = sql.get(`SELECT ${columns} FROM email WHERE email = ?`, id)
      if (row !== undefined && row[1] === accountId) found.set(id, emailOf(row))
    }
  }
  return emailIds.map((id) => found.get(id) ?? null)
}

function emailOf(row: Row): Email {
  const prefix = row[5] as string
  const bodyOctets = row[4] as number
  return {
    emailId: row[0] as number,
    threadId: row[2] as number,
    journeyId: row[9] as string | null,
    prefix,
    body: { accountId: row[1] as number, blobId: row[3] as number, octets: bodyOctets },
    octets: prefix.length + bodyOctets,
    envelope: row[6] as string,
    bodyStructure: row[7] as string,
    structure: row[8] as string,
  }
}
