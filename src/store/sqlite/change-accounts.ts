/** Domains, accounts and aliases. The table `address` is the only claim on a name. */
import { keptAddress, keptDomain } from '../address.ts'
import { AccountUnknown, DomainInUse, DomainUnknown, LimitReached, NameTaken } from '../errors.ts'
import type { Account } from '../accounts.ts'
import type { SpecialUse } from '../store.ts'
import { insertMailbox } from './change-mailboxes.ts'
import { claim } from './claim.ts'
import { rememberAccount } from './housekeeping/removed-accounts.ts'
import type { Transaction } from './transaction.ts'

/** What every account begins with. INBOX comes first: its id is `inboxId`. */
const firstMailboxes: readonly (readonly [string, SpecialUse | null])[] = [
  ['INBOX', null],
  ['Drafts', '\\Drafts'],
  ['Sent', '\\Sent'],
  ['Junk', '\\Junk'],
  ['Trash', '\\Trash'],
  ['Archive', '\\Archive'],
]

export function addDomain(tx: Transaction, call: { readonly domain: string }): void {
  const domain = keptDomain(call.domain)
  const isBackup = tx.get('SELECT 1 FROM backup_domain WHERE domain = ?', domain) !== undefined
  if (isBackup || tx.run('INSERT OR IGNORE INTO domain VALUES (?)', domain) === 0) throw new NameTaken(domain)
}

export function removeDomain(tx: Transaction, call: { readonly domain: string }): void {
  const domain = keptDomain(call.domain)
  if (tx.get('SELECT 1 FROM address WHERE domain = ? LIMIT 1', domain) !== undefined)
    throw new DomainInUse(domain)
  if (tx.run('DELETE FROM domain WHERE domain = ?', domain) === 0) throw new DomainUnknown(domain)
  tx.run('DELETE FROM domain_key WHERE domain = ?', domain)
}

export interface NewAccount {
  readonly address: string
  readonly passwordHash: string | null
}

export function addAccounts(tx: Transaction, call: { readonly accounts: readonly NewAccount[] }): Account[] {
  return call.accounts.map((account) => addAccount(tx, account))
}

function addAccount(tx: Transaction, { address: written, passwordHash }: NewAccount): Account {
  const address = keptAddress(written)
  const accountId = tx.nextOf('account')
  claim(tx, address, accountId, null)
  tx.run('INSERT INTO account VALUES (?, ?, ?, NULL, NULL)', accountId, address, passwordHash)
  tx.run('INSERT INTO account_state VALUES (?, 0, 0, 0, 0)', accountId)
  for (const [name, specialUse] of firstMailboxes) {
    insertMailbox(tx, accountId, name, specialUse)
    tx.run('INSERT INTO subscription VALUES (?, ?)', accountId, name)
  }
  return {
    accountId,
    address,
    passwordHash,
    usedOctets: 0,
    usedMessages: 0,
    quotaOctets: null,
    quotaMessages: null,
  }
}

/** Names and log-in go now; the mail when the time in which it can be brought back is over, housekeeping/end-window.ts. */
export function removeAccount(tx: Transaction, call: { readonly address: string }): void {
  const address = keptAddress(call.address)
  const row = tx.get('SELECT account FROM address WHERE address = ? AND account IS NOT NULL', address)
  if (row === undefined) throw new AccountUnknown(address)
  const accountId = row[0] as number
  for (const [mailboxId] of tx.all('SELECT mailbox FROM mailbox WHERE account = ?', accountId)) {
    tx.deltas.push({
      ...{ kind: 'mailboxes', accountId, mailboxId: mailboxId as number },
      ...{ modseq: tx.nextNumber(accountId), deleted: true },
    })
  }
  rememberAccount(tx, accountId)
  tx.run('DELETE FROM address WHERE address = ?', address)
  tx.run('DELETE FROM account WHERE account = ?', accountId)
  tx.run('DELETE FROM account_state WHERE account = ?', accountId)
  tx.run('DELETE FROM mailbox WHERE account = ?', accountId)
}

export function setPassword(
  tx: Transaction,
  call: { readonly address: string; readonly passwordHash: string },
): void {
  const address = keptAddress(call.address)
  const changed = tx.run(
    'UPDATE account SET password = ? WHERE account = (SELECT account FROM address WHERE address = ?)',
    call.passwordHash,
    address,
  )
  if (changed === 0) throw new AccountUnknown(address)
}

export function addAlias(
  tx: Transaction,
  call: { readonly address: string; readonly targets: readonly string[] },
): void {
  // RCPT to it would be refused, as for too many recipients.
  if (call.targets.length > tx.limits.recipients) {
    throw new LimitReached(`an alias has at most ${tx.limits.recipients} members (limits.recipients)`)
  }
  claim(tx, keptAddress(call.address), null, call.targets)
}

/** One that is not there is no error: it is gone, as was asked. */
export function removeAlias(tx: Transaction, call: { readonly address: string }): void {
  tx.run('DELETE FROM address WHERE address = ? AND account IS NULL', keptAddress(call.address))
}
