/**
 * Looks for rows that belong to nothing: an email that no message shows, a body that no email and no queue row owns. Every
 * transaction leaves none, so what is found is a fault of ours, and is told in the log. It reads the whole table of
 * emails: seldom.
 *
 * Why nothing that is needed is taken for an orphan: a body is only looked at if its number had been given out before the
 * first email was read, so whoever owns it was there to be seen; an email and its places are read in one snapshot.
 */
import { NumberSet } from './number-set.ts'
import type { Work } from './work.ts'

const emailsAtOnce = 500
const blobsAtOnce = 2_000
/** Octets of an email's row, docs/decisions/010. */
const rowOctets = 1_300

export async function removeOrphanRows(work: Work): Promise<void> {
  const numberOf = (name: string) =>
    Number(work.sql.get('SELECT value FROM counter WHERE name = ?', name)?.[0] ?? 0)
  const lastBlob = numberOf('blob')
  const owned = new NumberSet()
  await markEmails(work, owned, numberOf('email'))
  await markQueue(work, owned)
  for (let after = 0; ; ) {
    const rows = work.sql.all<readonly [number]>(
      `SELECT blob FROM blob WHERE blob > ? AND blob <= ? ORDER BY blob LIMIT ${blobsAtOnce}`,
      after,
      lastBlob,
    )
    await remove(work, { emails: [], blobs: rows.map(([blob]) => blob).filter((blob) => !owned.has(blob)) })
    if (rows.length < blobsAtOnce) break
    after = rows.at(-1)![0]
    await work.pause()
  }
  await work.ask('noteNumber', { name: 'marked', value: work.nowMs })
}

export function markIsDue(work: Work): boolean {
  const row = work.sql.get("SELECT value FROM counter WHERE name = 'marked'")
  return row === undefined || work.nowMs - (row[0] as number) >= work.limits.markEveryMs
}

async function markEmails(work: Work, owned: NumberSet, lastEmail: number): Promise<void> {
  for (let after = 0; ; ) {
    work.tell('emails', after, lastEmail)
    const page = readPage(work, after)
    for (const blob of page.blobs) owned.add(blob)
    await remove(work, { emails: page.orphans, blobs: [] })
    if (page.last === null) return
    after = page.last
    await work.pause(emailsAtOnce * rowOctets)
  }
}

function readPage(work: Work, after: number): { blobs: number[]; orphans: number[]; last: number | null } {
  const { sql } = work
  sql.exec('BEGIN')
  try {
    const rows = sql.all<readonly [number, number, number, string]>(
      `SELECT email, account, blob, places FROM email WHERE email > ? ORDER BY email LIMIT ${emailsAtOnce}`,
      after,
    )
    const orphans = rows.filter(([email, account, , places]) => !isShown(work, email, account, places))
    return {
      blobs: rows.map(([, , blob]) => blob),
      orphans: orphans.map(([email]) => email),
      last: rows.length < emailsAtOnce ? null : rows.at(-1)![0],
    }
  } finally {
    sql.exec('COMMIT')
  }
}

function isShown({ sql }: Work, email: number, account: number, places: string): boolean {
  for (const place of places.split(' ')) {
    const [mailbox, uid] = place.split(':').map(Number)
    for (const table of ['message', 'tombstone']) {
      const row = sql.get(
        `SELECT email FROM ${table} WHERE account = ? AND mailbox = ? AND uid = ?`,
        account,
        mailbox!,
        uid!,
      )
      if (row?.[0] === email) return true
    }
  }
  // Its last place was left some minutes ago.
  return sql.get('SELECT 1 FROM garbage WHERE email = ? LIMIT 1', email) !== undefined
}

async function markQueue(work: Work, owned: NumberSet): Promise<void> {
  for (let account = -1, queue = 0; ; ) {
    const rows = work.sql.all<readonly [number, number, number]>(
      `SELECT account, queue, blob FROM queue WHERE (account, queue) > (?, ?)
        ORDER BY account, queue LIMIT ${blobsAtOnce}`,
      account,
      queue,
    )
    for (const [, , blob] of rows) owned.add(blob)
    if (rows.length < blobsAtOnce) return
    ;[account, queue] = rows.at(-1)!
    await work.pause()
  }
}

async function remove(work: Work, orphans: { emails: number[]; blobs: number[] }): Promise<void> {
  const { emails, blobs } = orphans
  if (emails.length + blobs.length === 0) return
  work.warn('store: rows that belong to nothing were removed', { emails: emails.length, blobs: blobs.length })
  work.report.orphanRows += emails.length + blobs.length
  await work.ask('removeOrphanRows', orphans)
}
