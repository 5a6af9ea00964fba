import type { Email } from '../store.ts'
import type { Row, Sql } from './database.ts'

/** Emails of one call. */
export const emailsAtOnce = 500
/** Chars of envelopes, structures and prefixes after which a call gives no more. */
export const emailCharsAtOnce = 1_048_576
/** Rows that are read before their chars are counted: at first, and at most. */
const rowsAtFirst = 25
const rowsAtMost = 100
/** A range of numbers is read as one when at least every so many-th of it is wanted: others' rows lie in between. */
const sparseness = 4

const columns =
  'email, account, thread, blob, body_octets, prefix, envelope, body_structure, structure, journey'

/** @returns In the order asked for, and maybe not up to the last; null for what is gone, or somebody else's. */
export function readEmails(sql: Sql, accountId: number, emailIds: readonly number[]): (Email | null)[] {
  if (emailIds.length > emailsAtOnce) throw new Error(`Cannot read more than ${emailsAtOnce} emails at once`)
  const emails: (Email | null)[] = []
  let chars = 0
  for (let rows = rowsAtFirst; emails.length < emailIds.length && chars < emailCharsAtOnce; ) {
    const some = readSome(sql, accountId, emailIds.slice(emails.length, emails.length + rows))
    for (const email of some) {
      emails.push(email)
      chars += email === null ? 0 : charsOf(email)
    }
    const fitting = Math.floor(((emailCharsAtOnce - chars) * emails.length) / Math.max(1, chars))
    rows = Math.max(1, Math.min(rowsAtMost, rows * 4, fitting))
  }
  return emails
}

function charsOf({ prefix, envelope, bodyStructure, structure }: Email): number {
  return prefix.length + envelope.length + bodyStructure.length + structure.length
}

function readSome(sql: Sql, accountId: number, emailIds: readonly number[]): (Email | null)[] {
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
