import type { Sql } from '../database.ts'

/** Messages a second, over weeks: more than any store that is restored has taken on the average. */
const perSecond = 100
const atLeast = 1_000_000

/**
 * Lets the numbers of a restored store begin above all that the lost one may have given out after its backup. Clients
 * know messages by UIDVALIDITY and UID, JMAP and OBJECTID clients by the email's number, senders by the queue's.
 *
 * UIDVALIDITY of every mailbox changes: what was expunged, moved or flagged after the backup is back as it was, and a
 * client that asked only for what changed since (RFC 7162 §3.2.5) would never see it, RFC 9051 §2.3.1.1.
 */
export function renumber(sql: Sql, takenAtMs: number, nowMs: number): void {
  const gap = atLeast + Math.max(0, Math.ceil((nowMs - takenAtMs) / 1_000)) * perSecond
  const now = Math.floor(nowMs / 1_000)
  for (const table of ['mailbox', 'deleted_mailbox', 'account_state', 'removed_account']) {
    sql.run(`UPDATE ${table} SET uidvalidity = max(uidvalidity + 1, ?)`, now)
  }
  // Not the accounts': no client sees their numbers, and the search has 21 bits for them.
  sql.run("UPDATE counter SET value = value + ? WHERE name NOT IN ('account', 'unrecorded')", gap)
  sql.run('UPDATE account_state SET counter = counter + ?', gap)
  sql.run('UPDATE removed_account SET counter = counter + ?', gap)
}
