/** Domains, accounts, addresses and the shard's counters. */
import type { Sql } from '../database.ts'
import { type Findings, rowsMax } from './findings.ts'

export function checkAccounts(sql: Sql, findings: Findings): void {
  const each = (question: string, tell: (row: readonly unknown[]) => void) =>
    sql.all(`${question} LIMIT ${rowsMax}`).forEach(tell)
  each('SELECT account FROM account WHERE account NOT IN (SELECT account FROM account_state)', ([account]) =>
    findings.add('account-state', 'The account has no counters', { account: account as number }),
  )
  each(
    'SELECT account FROM account_state WHERE account <> 0 AND account NOT IN (SELECT account FROM account)',
    ([account]) =>
      findings.add('account-state', 'There are counters of an account that is not there', {
        account: account as number,
      }),
  )
  each(
    `SELECT account FROM account WHERE NOT EXISTS
      (SELECT 1 FROM address WHERE address.address = account.address AND address.account = account.account)`,
    ([account]) =>
      findings.add('address', 'The account does not own its address: nobody can write to it', {
        account: account as number,
      }),
  )
  each(
    `SELECT address FROM address WHERE (account IS NULL) = (targets IS NULL)
      OR (account IS NOT NULL AND account NOT IN (SELECT account FROM account))
      OR (targets IS NOT NULL AND (NOT json_valid(targets) OR json_type(targets) <> 'array'))`,
    ([address]) => findings.add('address', `The address ${String(address)} leads nowhere`),
  )
  each('SELECT address FROM address WHERE domain NOT IN (SELECT domain FROM domain)', ([address]) =>
    findings.add('address', `The domain of ${String(address)} is not there`),
  )
  each('SELECT domain, selector FROM domain_key WHERE domain NOT IN (SELECT domain FROM domain)', (row) =>
    findings.add('domain-key', `The domain of the key ${row.join(' ')} is not there`),
  )
  // The key itself is not told.
  each(
    `SELECT domain, selector FROM domain_key WHERE private_key NOT LIKE '-----BEGIN PRIVATE KEY-----%'
      OR algorithm NOT IN ('rsa-sha256', 'ed25519-sha256')`,
    (row) => findings.add('domain-key', `The key ${row.join(' ')} cannot sign`),
  )
  checkUsage(sql, findings)
  checkCounters(sql, findings)
}

/** What an account is charged with is what its mailboxes hold. */
function checkUsage(sql: Sql, findings: Findings): void {
  const rows = sql.all<readonly [number, number, number, number, number]>(
    `SELECT s.account, used_octets, used_messages, coalesce(sum(m.octets), 0), coalesce(sum(m.total), 0)
      FROM account_state s LEFT JOIN mailbox m ON m.account = s.account GROUP BY s.account
      HAVING used_octets <> coalesce(sum(m.octets), 0) OR used_messages <> coalesce(sum(m.total), 0) LIMIT ${rowsMax}`,
  )
  for (const [account, usedOctets, usedMessages, octets, messages] of rows) {
    const text = `The account is charged with ${usedMessages} messages of ${usedOctets} octets, its mailboxes hold ${messages} of ${octets}`
    findings.add('account-usage', text, { account })
  }
}

/** A counter that is behind would give out a number again. */
function checkCounters(sql: Sql, findings: Findings): void {
  for (const [name, table, column] of [
    ['account', 'account', 'account'],
    ['email', 'email', 'email'],
    ['blob', 'blob', 'blob'],
    ['queue', 'queue', 'queue'],
  ]) {
    const value = sql.get('SELECT value FROM counter WHERE name = ?', name!)?.[0]
    const highest = Number(sql.get(`SELECT coalesce(max(${column}), 0) FROM ${table}`)?.[0])
    if (typeof value === 'number' && value >= highest) continue
    const text = `The counter of ${name} is at ${String(value ?? 'nothing')}, and ${highest} has been given out`
    findings.add('counter', text)
  }
}
