/**
 * The mailbox indexes of this process: one for each mailbox that somebody has open, and those closed last as long as
 * they fit. They are brought up to date by the writer's answers. Loading reads in pages and lets others run between
 * them, or is left to another thread when the mailbox is large; what is changed meanwhile is kept and applied when the
 * last page has come.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MailboxGone } from '../errors.ts'
import type { MailboxIndex } from '../mailbox-index.ts'
import type { Sql } from './database.ts'
import type { Delta } from './delta.ts'
import type { IndexLoader } from './index-loader.ts'
import { readIndexPage } from './index-rows.ts'
import { SharedIndex } from './shared-index.ts'

export interface IndexCacheBounds {
  /** Released indexes are kept up to this many octets. */
  readonly releasedOctets: number
  /** Messages of a mailbox that is read here, in turns of half a millisecond: to start a thread takes longer. */
  readonly rowsHere: number
}

const defaultBounds: IndexCacheBounds = { releasedOctets: 64 * 1024 * 1024, rowsHere: 50_000 }

interface Entry {
  readonly index: SharedIndex
  users: number
  loaded: boolean
  /** Fulfilled when it has loaded. */
  loading: Promise<void>
  /** What was changed while it loaded. */
  missed: Delta[]
}

export class IndexCache {
  readonly #sql: Sql
  readonly #loader: IndexLoader
  readonly #bounds: IndexCacheBounds
  /** In the order of their last release. */
  readonly #entries = new Map<string, Entry>()
  #releasedOctets = 0

  constructor(sql: Sql, loader: IndexLoader, bounds = defaultBounds) {
    this.#sql = sql
    this.#loader = loader
    this.#bounds = bounds
  }

  /** @throws {MailboxGone} */
  async load(accountId: number, mailboxId: number): Promise<MailboxIndex> {
    const key = keyOf(accountId, mailboxId)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      const index = new SharedIndex(accountId, mailboxId)
      entry = { index, users: 0, loaded: false, loading: Promise.resolve(), missed: [] }
      this.#entries.set(key, entry)
      entry.loading = this.#read(entry)
    } else if (entry.users === 0 && entry.loaded) {
      this.#releasedOctets -= entry.index.octets
    }
    entry.users++
    try {
      if (!entry.loaded) await entry.loading
    } catch (error) {
      entry.users--
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
      throw error
    }
    return handleOf(entry.index, () => this.#release(key, entry))
  }

  apply(delta: Delta): void {
    const key = keyOf(delta.accountId, delta.mailboxId)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    if (!entry.loaded) {
      entry.missed.push(delta)
      return
    }
    const before = entry.index.octets
    entry.index.apply(delta)
    if (entry.users === 0) this.#releasedOctets += entry.index.octets - before
    if (entry.index.gone) this.#forget(key, entry)
  }

  async #read(entry: Entry): Promise<void> {
    const { index } = entry
    const { accountId, mailboxId } = index
    const mailbox = this.#sql.get(
      'SELECT uidvalidity, uidnext, highestmodseq, total FROM mailbox WHERE account = ? AND mailbox = ?',
      accountId,
      mailboxId,
    )
    if (mailbox === undefined) throw new MailboxGone(`mailbox ${mailboxId} of account ${accountId}`)
    const [uidValidity, uidNext, highestModseq, total] = mailbox as readonly [number, number, number, number]
    index.uidValidity = uidValidity
    index.uidNext = uidNext
    index.highestModseq = highestModseq
    if (total > this.#bounds.rowsHere) index.adopt(await this.#loader.load(accountId, mailboxId, total))
    else {
      index.reserve(total)
      while (readIndexPage(this.#sql, index)) await nextTurn()
    }
    index.keywordNames = this.#sql
      .all('SELECT name FROM keyword WHERE account = ? AND mailbox = ? ORDER BY bit', accountId, mailboxId)
      .map((row) => row[0] as string)
    entry.loaded = true
    for (const delta of entry.missed) index.apply(delta)
    entry.missed = []
    if (index.gone) throw new MailboxGone(`mailbox ${mailboxId} of account ${accountId}`)
  }

  #release(key: string, entry: Entry): void {
    entry.users--
    if (entry.users > 0 || this.#entries.get(key) !== entry) return
    this.#releasedOctets += entry.index.octets
    // To the end: the newest release.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    for (const [otherKey, other] of this.#entries) {
      if (this.#releasedOctets <= this.#bounds.releasedOctets) break
      if (other.users === 0 && other.loaded) this.#forget(otherKey, other)
    }
  }

  #forget(key: string, entry: Entry): void {
    if (entry.users === 0) this.#releasedOctets -= entry.index.octets
    this.#entries.delete(key)
  }
}

function keyOf(accountId: number, mailboxId: number): string {
  return `${accountId}:${mailboxId}`
}

/** What one session holds: the shared columns, and its own right to let go, once. */
function handleOf(index: SharedIndex, release: () => void): MailboxIndex {
  let held = true
  return {
    accountId: index.accountId,
    mailboxId: index.mailboxId,
    uidValidity: index.uidValidity,
    get length() {
      return index.length
    },
    get uids() {
      return index.uids
    },
    get flags() {
      return index.flags
    },
    get keywords() {
      return index.keywords
    },
    get modseqs() {
      return index.modseqs
    },
    get sizes() {
      return index.sizes
    },
    get internalDates() {
      return index.internalDates
    },
    get emailIds() {
      return index.emailIds
    },
    get keywordNames() {
      return index.keywordNames
    },
    get uidNext() {
      return index.uidNext
    },
    get highestModseq() {
      return index.highestModseq
    },
    get gone() {
      return index.gone
    },
    rowOf: (uid) => index.rowOf(uid),
    release() {
      if (!held) return
      held = false
      release()
    },
  }
}
