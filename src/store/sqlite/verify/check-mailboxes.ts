/** Mailboxes, their messages, and what was expunged from them. */
import type { Sql } from '../database.ts'
import { type Findings, rowsMax } from './findings.ts'

export function checkMailboxes(sql: Sql, findings: Findings): void {
  checkTotals(sql, findings)
  checkOwners(sql, findings)
  checkExpunged(sql, findings)
}

type TotalsRow = readonly [
  ...[number, number, number, number, number, number, number, number],
  ...[number, number, number, number, number],
]

function checkTotals(sql: Sql, findings: Findings): void {
  const rows = sql.all<TotalsRow>(
    `SELECT * FROM (SELECT m.account, m.mailbox, m.total, m.unseen, m.octets, m.uidnext, m.highestmodseq, s.counter,
      count(x.uid) AS n, coalesce(sum(x.flags & 1 = 0), 0) AS fresh, coalesce(sum(x.octets), 0) AS sum,
      coalesce(max(x.uid), 0) AS uid, coalesce(max(x.modseq), 0) AS modseq
      FROM mailbox m JOIN account_state s USING (account)
      LEFT JOIN message x ON x.account = m.account AND x.mailbox = m.mailbox GROUP BY m.account, m.mailbox)
      WHERE total <> n OR unseen <> fresh OR octets <> sum OR uidnext <= uid OR highestmodseq < modseq
        OR highestmodseq > counter OR mailbox > counter LIMIT ${rowsMax}`,
  )
  for (const row of rows) tellTotals(row, findings)
}

function tellTotals(row: TotalsRow, findings: Findings): void {
  const [account, mailbox, total, unseen, octets, uidNext, highestModseq, counter, ...rest] = row
  const [n, fresh, sum, uid, modseq] = rest
  const tell = (kind: string, text: string) => findings.add(kind, text, { account, mailbox })
  if (total !== n) tell('mailbox-total', `The mailbox counts ${total} messages and holds ${n}`)
  if (unseen !== fresh)
    tell('mailbox-unseen', `The mailbox counts ${unseen} unseen messages and holds ${fresh}`)
  if (octets !== sum) tell('mailbox-octets', `The mailbox counts ${octets} octets and holds ${sum}`)
  if (uidNext <= uid) tell('uidnext', `UIDNEXT is ${uidNext}, and UID ${uid} has been given out`)
  if (highestModseq < modseq)
    tell('modseq', `HIGHESTMODSEQ is ${highestModseq}, and a message has MODSEQ ${modseq}`)
  if (highestModseq > counter || mailbox > counter)
    tell(
      'modseq',
      `The account's counter is at ${counter}, behind the mailbox's ${Math.max(highestModseq, mailbox)}`,
    )
}

function checkOwners(sql: Sql, findings: Findings): void {
  for (const [account, mailbox] of sql.all<readonly [number, number]>(
    `SELECT account, mailbox FROM mailbox WHERE account NOT IN (SELECT account FROM account) LIMIT ${rowsMax}`,
  ))
    findings.add('mailbox-owner', 'The account of the mailbox is not there', { account, mailbox })
  for (const [account] of sql.all<readonly [number]>(
    `SELECT account FROM account WHERE NOT EXISTS
      (SELECT 1 FROM mailbox WHERE mailbox.account = account.account AND name = 'INBOX') LIMIT ${rowsMax}`,
  ))
    findings.add('inbox', 'The account has no INBOX', { account })
  for (const [account, mailbox] of sql.all<readonly [number, number]>(
    `SELECT m.account, mailbox FROM mailbox m JOIN account_state s USING (account)
      WHERE m.uidvalidity > s.uidvalidity OR m.uidvalidity NOT BETWEEN 1 AND 4294967295 LIMIT ${rowsMax}`,
  ))
    findings.add('uidvalidity', 'UIDVALIDITY may be given out again', { account, mailbox })
  for (const [account, mailbox, count] of sql.all<readonly [number, number, number]>(
    `SELECT account, mailbox, n FROM (SELECT account, mailbox, count(*) AS n FROM message GROUP BY account, mailbox) x
      WHERE NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.account = x.account AND m.mailbox = x.mailbox)
        AND NOT EXISTS (SELECT 1 FROM deleted_mailbox d WHERE d.account = x.account AND d.mailbox = x.mailbox)
        AND NOT EXISTS (SELECT 1 FROM garbage g WHERE g.account = x.account AND g.mailbox = x.mailbox AND g.uid = 0)
      LIMIT ${rowsMax}`,
  ))
    findings.add('message-mailbox', `${count} messages are in a mailbox that is not there`, {
      account,
      mailbox,
    })
  for (const [account, mailbox, uid] of sql.all<readonly [number, number, number]>(
    `SELECT account, mailbox, uid FROM message x WHERE keywords <> 0 AND keywords & ~coalesce((SELECT sum(1 << bit)
      FROM keyword k WHERE k.account = x.account AND k.mailbox = x.mailbox), 0) <> 0 LIMIT ${rowsMax}`,
  ))
    findings.add('keyword', 'The message has a keyword without a name', { account, mailbox, uid })
}

/** An expunged UID is never given out again, and no MODSEQ lies in the future. */
function checkExpunged(sql: Sql, findings: Findings): void {
  for (const [account, mailbox, uid] of sql.all<readonly [number, number, number]>(
    `SELECT e.account, e.mailbox, e.uid FROM expunged e JOIN mailbox m USING (account, mailbox)
      LEFT JOIN message x ON x.account = e.account AND x.mailbox = e.mailbox AND x.uid = e.uid
      WHERE x.uid IS NOT NULL OR e.uid >= m.uidnext OR e.modseq > m.highestmodseq LIMIT ${rowsMax}`,
  ))
    findings.add('expunged', 'What is remembered as expunged is there, or has not been yet', {
      ...{ account, mailbox, uid },
    })
}
