/**
 * Carries out a SEARCH: first the columns of the index, which decide most; then the messages that are left, one after
 * another. Others have their turn in between.
 */
import type { Email } from '../../../store/store.ts'
import { BodyUnreadable } from '../../../store/errors.ts'
import type { SearchKey } from '../../wire/search.ts'
import { PageSize } from '../page-size.ts'
import { RangeWalk, type Selected } from '../selected.ts'
import type { Session } from '../session.ts'
import { MessageText } from './message-text.ts'
import { compileRowTest, no, perhaps, resolveSets, type ResolvedSets, yes } from './row-test.ts'

const rowsPerTurn = 8_000
const keysTimesRowsPerTurn = 32_000
const pageRows = 100
/** Messages that are looked into at the same time, and octets of header they may have: decoding is work in one piece. */
const readAhead = 20
const headerOctetsAhead = 131_072

export class SearchRun {
  readonly #session: Session
  readonly #selected: Selected
  readonly #key: SearchKey
  readonly #sets: ResolvedSets

  /** @throws {Refusal} BAD: a sequence number that is not there. */
  constructor(session: Session, key: SearchKey) {
    this.#session = session
    this.#selected = session.view
    this.#key = key
    this.#sets = resolveSets(key, session.view)
  }

  /** UIDs of the messages found, ascending. */
  async run(): Promise<number[]> {
    const found: number[] = []
    const open: number[] = []
    const walk = new RangeWalk(this.#selected, this.#selected.everything())
    const limit = Math.max(50, Math.min(rowsPerTurn, Math.floor(keysTimesRowsPerTurn / countKeys(this.#key))))
    for (let span = walk.next(limit); span !== null; span = walk.next(limit)) {
      const test = compileRowTest(this.#key, this.#selected, this.#sets)
      const { uids } = this.#selected.index
      for (let row = span.from; row < span.to; row++) {
        const outcome = test(row)
        if (outcome === yes) found.push(uids[row]!)
        else if (outcome === perhaps) open.push(uids[row]!)
      }
      await this.#session.dialogue.breathe()
    }
    if (open.length === 0) return found
    for (const uid of await this.#lookInside(open)) found.push(uid)
    return found.sort((a, b) => a - b)
  }

  /** Those of the messages that match when they are read. */
  async #lookInside(uids: readonly number[]): Promise<number[]> {
    const { store } = this.#session.options
    const { index } = this.#selected
    const found: number[] = []
    const size = new PageSize(pageRows)
    for (let i = 0; i < uids.length && !this.#session.dialogue.closed; ) {
      const page = uids.slice(i, i + size.rows).filter((uid) => index.rowOf(uid) >= 0)
      i += size.rows
      const emails = await store.getEmails(
        index.accountId,
        page.map((uid) => index.emailIds[index.rowOf(uid)]!),
      )
      size.learn(emails)
      const texts = emails.map((email) => (email === null ? null : this.#textOf(email)))
      for (let n = 0; n < page.length; ) {
        const some = texts.slice(n, n + countTogether(texts, n))
        const matching = await Promise.all(some.map((text, k) => this.#matches(page[n + k]!, text)))
        for (const [k, matches] of matching.entries()) if (matches) found.push(page[n + k]!)
        n += some.length
        await this.#session.dialogue.breathe()
      }
    }
    return found
  }

  #textOf(email: Email): MessageText {
    return new MessageText(this.#session.options.store, email, () => this.#session.dialogue.breathe())
  }

  async #matches(uid: number, text: MessageText | null): Promise<boolean> {
    if (text === null) return false
    try {
      return await this.#holds(this.#key, uid, text)
    } catch (error) {
      if (!(error instanceof BodyUnreadable)) throw error
      this.#session.options.log.error('message cannot be searched', { uid, error })
      return false
    }
  }

  /** One key about one message; what its row can answer is not read. */
  async #holds(key: SearchKey, uid: number, text: MessageText): Promise<boolean> {
    switch (key.kind) {
      case 'and':
        for (const one of key.keys) if (!(await this.#holds(one, uid, text))) return false
        return true
      case 'or':
        return (await this.#holds(key.left, uid, text)) || (await this.#holds(key.right, uid, text))
      case 'not':
        return !(await this.#holds(key.key, uid, text))
      case 'header':
        return text.fieldHolds(key.name, key.text)
      case 'body':
        return text.bodyHolds(key.text)
      case 'text':
        return (await text.headerHolds(key.text)) || (await text.bodyHolds(key.text))
      case 'date':
        if (key.field === 'sent') return sentWithin(text.sentDay, key.from, key.before)
    }
    const row = this.#selected.index.rowOf(uid)
    return row >= 0 && compileRowTest(key, this.#selected, this.#sets)(row) !== no
  }
}

/** How many of the texts from `first` on are looked into together; at least one. */
function countTogether(texts: readonly (MessageText | null)[], first: number): number {
  let octets = 0
  for (let n = 0; n < readAhead; n++) {
    octets += texts[first + n]?.headerOctets ?? 0
    if (n > 0 && octets > headerOctetsAhead) return n
  }
  return readAhead
}

/** RFC 3501 §6.4.4: disregarding time and timezone. A message without a readable date was sent on no day. */
function sentWithin(day: number | null, from: number, before: number): boolean {
  return day !== null && day >= from && day < before
}

function countKeys(key: SearchKey): number {
  if (key.kind === 'and') return key.keys.reduce((sum, one) => sum + countKeys(one), 1)
  if (key.kind === 'or') return 1 + countKeys(key.left) + countKeys(key.right)
  return key.kind === 'not' ? 1 + countKeys(key.key) : 1
}
