import type { Problem, VerifyReport } from '../../backup.ts'
import type { Sql } from '../database.ts'

/** Told in full; beyond it they are only counted. */
const problemsMax = 1_000
/** Rows that one question to the tables brings. */
export const rowsMax = 1_001

/** Where something is wrong, by number. */
export interface Whose {
  readonly account?: number
  readonly mailbox?: number
  readonly uid?: number
}

/** Gathers what is wrong and calls accounts and mailboxes by their names. */
export class Findings {
  readonly #sql: Sql
  readonly #problems: Problem[] = []
  readonly #counts: Record<string, number> = {}
  readonly #notes: string[] = []

  constructor(sql: Sql) {
    this.#sql = sql
  }

  add(kind: string, text: string, whose: Whose = {}): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1
    if (this.#problems.length >= problemsMax) return
    const { account, mailbox, uid } = whose
    this.#problems.push({
      ...{ kind, text, uid: uid ?? null },
      account: account === undefined ? null : this.accountName(account),
      mailbox: account === undefined || mailbox === undefined ? null : this.mailboxName(account, mailbox),
    })
  }

  note(text: string): void {
    if (this.#notes.length < 100) this.#notes.push(text)
  }

  get report(): Pick<VerifyReport, 'problems' | 'counts' | 'notes'> {
    return { problems: this.#problems, counts: this.#counts, notes: this.#notes }
  }

  accountName(account: number): string {
    if (account === 0) return 'the system'
    return (
      this.#text('SELECT address FROM account WHERE account = ?', account) ??
      this.#text('SELECT address FROM removed_account WHERE account = ?', account) ??
      `account ${account}`
    )
  }

  mailboxName(account: number, mailbox: number): string {
    return (
      this.#text('SELECT name FROM mailbox WHERE account = ? AND mailbox = ?', account, mailbox) ??
      this.#text('SELECT name FROM deleted_mailbox WHERE account = ? AND mailbox = ?', account, mailbox) ??
      `mailbox ${mailbox}`
    )
  }

  #text(question: string, ...values: number[]): string | null {
    try {
      return (this.#sql.get(question, ...values)?.[0] as string | undefined) ?? null
    } catch {
      // Tables that are damaged still have numbers.
      return null
    }
  }
}
