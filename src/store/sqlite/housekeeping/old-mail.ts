/**
 * Looks at each mailbox once: expunges what has been in Trash and Junk for long enough, and forgets the oldest expunged
 * UIDs of a mailbox that remembers too many.
 *
 * When a message was put into a mailbox is written nowhere. But UIDs grow with time: a note now and then of how far they
 * had come says what was there by then. So a message leaves a day late at most, and never early.
 */
import type { SeenThere } from './notes.ts'
import type { Work } from './work.ts'

const mailboxesAtOnce = 500
const messagesAtOnce = 500
/** Of a mailbox's time. */
const notesPerTime = 30

/** Account, mailbox, special use, UIDNEXT, messages. */
type MailboxRow = readonly [number, number, string | null, number, number]

export async function clearOldMail(work: Work): Promise<void> {
  const total = Number(work.sql.get('SELECT count(*) FROM mailbox')![0])
  let done = 0
  for (let account = 0, mailbox = 0; ; ) {
    work.tell('Trash, Junk and history', done, total)
    const rows = work.sql.all<MailboxRow>(
      `SELECT account, mailbox, special_use, uidnext, total FROM mailbox
        WHERE (account, mailbox) > (?, ?) ORDER BY account, mailbox LIMIT ${mailboxesAtOnce}`,
      account,
      mailbox,
    )
    const notes: SeenThere[] = []
    for (const row of rows) {
      const note = await expire(work, row)
      if (note !== null) notes.push(note)
      await trim(work, row)
    }
    if (notes.length > 0) await work.ask('noteSeenThere', { notes })
    if (rows.length < mailboxesAtOnce) return
    ;[account, mailbox] = rows.at(-1)!
    done += rows.length
    await work.pause()
  }
}

/** @returns What is to be noted about the mailbox. */
async function expire(work: Work, row: MailboxRow): Promise<SeenThere | null> {
  const [accountId, mailboxId, specialUse, uidNext, total] = row
  const { limits, nowMs } = work
  const timeMs =
    specialUse === '\\Trash' ? limits.trashExpiryMs : specialUse === '\\Junk' ? limits.junkExpiryMs : 0
  if (timeMs === 0 || total === 0) return null
  const key = [accountId, mailboxId]
  const old = work.sql.get<readonly [number, number]>(
    'SELECT at, uidnext FROM seen_there WHERE account = ? AND mailbox = ? AND at <= ? ORDER BY at DESC LIMIT 1',
    ...key,
    nowMs - timeMs,
  )
  if (old !== undefined) await expungeBelow(work, accountId, mailboxId, old[1])
  const last = work.sql.get<readonly [number, number]>(
    'SELECT at, uidnext FROM seen_there WHERE account = ? AND mailbox = ? ORDER BY at DESC LIMIT 1',
    ...key,
  )
  if (last !== undefined && (last[1] >= uidNext || nowMs - last[0] < timeMs / notesPerTime)) return null
  return { accountId, mailboxId, at: nowMs, uidNext, forgetBefore: old?.[0] ?? 0 }
}

async function expungeBelow(work: Work, accountId: number, mailboxId: number, bound: number): Promise<void> {
  for (;;) {
    const uids = work.sql
      .all<readonly [number]>(
        `SELECT uid FROM message WHERE account = ? AND mailbox = ? AND uid < ?
          ORDER BY uid LIMIT ${messagesAtOnce}`,
        accountId,
        mailboxId,
        bound,
      )
      .map(([uid]) => uid)
    if (uids.length === 0) return
    try {
      work.report.expired += (await work.ask('expunge', { accountId, mailboxId, uids })).length
    } catch (error) {
      // Somebody deleted it meanwhile.
      if (error instanceof Error && error.name === 'MailboxGone') return
      throw error
    }
    await work.pause()
  }
}

async function trim(work: Work, [accountId, mailboxId, , uidNext, total]: MailboxRow): Promise<void> {
  const { expungedHistory } = work.limits
  // Each UID that was given out is there or was expunged.
  if (uidNext - 1 - total <= expungedHistory) return
  const row = work.sql.get(
    `SELECT modseq FROM expunged WHERE account = ? AND mailbox = ?
      ORDER BY modseq DESC, uid DESC LIMIT 1 OFFSET ?`,
    accountId,
    mailboxId,
    expungedHistory,
  )
  if (row === undefined) return
  for (;;) {
    const forgotten = await work.ask('trimHistory', { accountId, mailboxId, upTo: row[0] as number })
    if (forgotten === 0) return
    work.report.forgotten += forgotten
    await work.pause()
  }
}
