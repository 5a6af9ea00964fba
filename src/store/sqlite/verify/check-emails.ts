/** Emails: each is shown somewhere, has a body of its own, and texts that IMAP can be answered with. */
import { decodeStructure } from '../../../message/stored-structure.ts'
import type { WorkProgress } from '../../backup.ts'
import type { Sql } from '../database.ts'
import { NumberSet } from '../housekeeping/number-set.ts'
import type { Findings, Whose } from './findings.ts'

const rowsAtOnce = 500
/** Bound of the store's `accept`. */
const prefixOctetsMax = 16_384

type EmailRow = readonly [
  ...[number, number, number, number, number, string, string, string, string, string],
  ...[number | null, number | null],
]

/** @returns Bodies that an email owns. */
export function checkEmails(
  sql: Sql,
  findings: Findings,
  progress: (progress: WorkProgress) => void,
): NumberSet {
  const owned = new NumberSet()
  const leaving = garbageEmails(sql)
  const total = Number(sql.get('SELECT count(*) FROM email')?.[0])
  for (let after = 0, done = 0; ; ) {
    const rows = sql.all<EmailRow>(
      `SELECT e.email, e.account, e.thread, e.blob, e.body_octets, e.places, e.prefix, e.envelope, e.body_structure,
        e.structure, b.account, b.octets FROM email e LEFT JOIN blob b ON b.blob = e.blob
        WHERE e.email > ? ORDER BY e.email LIMIT ${rowsAtOnce}`,
      after,
    )
    for (const row of rows) checkEmail(sql, row, { owned, leaving, findings })
    done += rows.length
    progress({ step: 'emails', done, total, unit: 'messages' })
    if (rows.length < rowsAtOnce) return owned
    after = rows.at(-1)![0]
  }
}

/** Those that were left by a message, and may not be shown any more. */
function garbageEmails(sql: Sql): NumberSet {
  const emails = new NumberSet()
  for (let after = 0; ; ) {
    const rows = sql.all<readonly [number, number]>(
      'SELECT garbage, email FROM garbage WHERE garbage > ? ORDER BY garbage LIMIT 2000',
      after,
    )
    for (const [, email] of rows) emails.add(email)
    if (rows.length < 2_000) return emails
    after = rows.at(-1)![0]
  }
}

function checkEmail(
  sql: Sql,
  row: EmailRow,
  seen: { readonly owned: NumberSet; readonly leaving: NumberSet; readonly findings: Findings },
): void {
  const [email, account, thread, blob, bodyOctets, places, prefix, envelope, bodyStructure, structure] = row
  const [blobAccount, blobOctets] = row.slice(10) as [number | null, number | null]
  const shown = findShown(sql, account, email, places)
  const whose: Whose = { account, ...shown }
  const tell = (kind: string, text: string) => seen.findings.add(kind, `${text} (email ${email})`, whose)
  if (!/^\d+:\d+(?: \d+:\d+)*$/.test(places)) tell('email-places', 'The list of places is damaged')
  else if (shown === null && !seen.leaving.has(email)) tell('email-unshown', 'No message shows this email')
  if (seen.owned.has(blob)) tell('body-shared', 'Another email has the same body row')
  seen.owned.add(blob)
  if (blobAccount === null) tell('email-body', 'The email has no body row: its text cannot be found')
  else if (blobAccount !== account) tell('email-body', 'The body belongs to another account')
  else if (blobOctets !== bodyOctets)
    tell('email-body', `The body has ${blobOctets} octets, the email says ${bodyOctets}`)
  if (thread < 1) tell('email-thread', 'The email belongs to no thread')
  if (prefix.length > prefixOctetsMax || (prefix !== '' && !prefix.endsWith('\r\n')))
    tell('email-prefix', 'The fields above the body are too long or cut')
  if (!isList(envelope)) tell('email-envelope', 'The ENVELOPE cannot be read')
  if (!isList(bodyStructure)) tell('email-structure', 'The BODYSTRUCTURE cannot be read')
  const wrong = wrongStructure(structure, bodyOctets)
  if (wrong !== null) tell('email-structure', wrong)
}

/** A message that shows it, or one that can be put back. */
function findShown(
  sql: Sql,
  account: number,
  email: number,
  places: string,
): { mailbox: number; uid: number } | null {
  for (const place of places.split(' ')) {
    const [mailbox, uid] = place.split(':').map(Number)
    if (!Number.isSafeInteger(mailbox) || !Number.isSafeInteger(uid)) continue
    for (const table of ['message', 'tombstone']) {
      const row = sql.get(
        `SELECT email FROM ${table} WHERE account = ? AND mailbox = ? AND uid = ?`,
        ...[account, mailbox!, uid!],
      )
      if (row?.[0] === email) return { mailbox: mailbox!, uid: uid! }
    }
  }
  return null
}

/** @returns What is wrong with it; null when nothing is. */
function wrongStructure(text: string, bodyOctets: number): string | null {
  try {
    const { octets, headerOctets } = decodeStructure(text)
    if (octets !== bodyOctets) return `The structure is of ${octets} octets, the body has ${bodyOctets}`
    return headerOctets > octets ? 'The structure has a header longer than the body' : null
  } catch {
    return 'The structure cannot be read'
  }
}

/** A parenthesised list of IMAP as the store keeps it: 7-bit, strings quoted, no literal, RFC 3501 §4.4. */
export function isList(text: string): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 && code !== 0x09) return false
    if (code > 0x7e) return false
    if (code === 0x22) {
      i = endOfString(text, i)
      if (i < 0) return false
    } else if (code === 0x28) depth++
    else if (code === 0x29) {
      depth--
      if (depth < 0 || (depth === 0 && i !== text.length - 1)) return false
    } else if (depth === 0) return false
  }
  return depth === 0 && text !== ''
}

/** @returns Where the closing quote is; -1 when there is none. */
function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return i
    if (code === 0x5c) i++
    if (code === 0x0d || code === 0x0a || code === 0 || code > 0x7f) return -1
  }
  return -1
}
