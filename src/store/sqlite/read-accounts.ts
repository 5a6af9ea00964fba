import { keptAddress } from '../address.ts'
import { type Account, type AddressMeaning, type Alias, reportNames } from '../accounts.ts'
import type { Row, Sql } from './database.ts'

const fields =
  'account.account, account.address, password, quota_octets, used_octets, used_messages, quota_messages'
const columns = `${fields} FROM account JOIN account_state USING (account)`

function accountOf(row: Row): Account {
  return {
    accountId: row[0] as number,
    address: row[1] as string,
    passwordHash: row[2] as string | null,
    quotaOctets: row[3] as number | null,
    usedOctets: row[4] as number,
    usedMessages: row[5] as number,
    quotaMessages: row[6] as number | null,
  }
}

/** What the tables say of names; each a few look-ups by key. */
export class AccountReader {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  domains(): string[] {
    return this.#sql.all('SELECT domain FROM domain ORDER BY domain').map((row) => row[0] as string)
  }

  byAddress(address: string): Account | null {
    const row = this.#sql.get('SELECT account FROM address WHERE address = ?', keptAddress(address))
    return row === undefined || row[0] === null ? null : this.byId(row[0] as number)
  }

  byId(accountId: number): Account | null {
    const row = this.#sql.get(`SELECT ${columns} WHERE account.account = ?`, accountId)
    return row === undefined ? null : accountOf(row)
  }

  /** One page, ascending by id. */
  page(afterId: number, limit: number): Account[] {
    return this.#sql
      .all(`SELECT ${columns} WHERE account.account > ? ORDER BY account.account LIMIT ?`, afterId, limit)
      .map(accountOf)
  }

  aliases(after: string, limit: number): Alias[] {
    return this.#sql
      .all(
        'SELECT address, targets FROM address WHERE address > ? AND account IS NULL ORDER BY address LIMIT ?',
        after,
        limit,
      )
      .map((row) => ({ address: row[0] as string, targets: targetsOf(row[1]) }))
  }

  resolve(written: string): AddressMeaning {
    const address = keptAddress(written)
    const at = address.lastIndexOf('@')
    const localPart = address.slice(0, at)
    const domain = address.slice(at + 1)
    // Most often it is an account's, and one look says so: what has an address here has its domain here.
    const exact = this.#meaning(address)
    if (exact !== null) return exact
    if (this.#sql.get('SELECT 1 FROM domain WHERE domain = ?', domain) === undefined)
      return { kind: 'remote' }
    // RFC 5233 §4: the detail is for its owner's filters.
    const plus = localPart.indexOf('+')
    const base = plus > 0 ? localPart.slice(0, plus) : localPart
    const meaning = plus > 0 ? this.#meaning(`${base}@${domain}`) : null
    if (meaning !== null) return meaning
    // RFC 5321 §4.5.1: postmaster is always there; RFC 2142 §2 asks the same for abuse.
    if (reportNames.includes(base)) {
      const postmaster = this.#meaning(`postmaster@${domain}`)
      if (postmaster !== null) return postmaster
    }
    if (base === 'postmaster' || base === 'abuse' || reportNames.includes(base)) {
      const first = this.#sql.get(
        'SELECT min(account) FROM address WHERE domain = ? AND account IS NOT NULL',
        domain,
      )
      const account = typeof first?.[0] === 'number' ? this.byId(first[0]) : null
      if (account !== null) return { kind: 'account', account }
    }
    return { kind: 'unknown' }
  }

  #meaning(address: string): AddressMeaning | null {
    const row = this.#sql.get(
      `SELECT ${fields}, address.account, targets FROM address LEFT JOIN account ON account.account = address.account
        LEFT JOIN account_state ON account_state.account = account.account WHERE address.address = ?`,
      address,
    )
    if (row === undefined) return null
    if (row[7] === null) return { kind: 'alias', targets: targetsOf(row[8]) }
    return row[0] === null ? null : { kind: 'account', account: accountOf(row) }
  }
}

function targetsOf(text: unknown): string[] {
  return JSON.parse(text as string) as string[]
}
