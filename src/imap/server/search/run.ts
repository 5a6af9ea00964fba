/**
 * Carries out a SEARCH: first the columns of the index, which decide most; then the store is asked about the texts of the
 * messages that are left. Others have their turn in between.
 */
import type { SearchCriterion } from '../../../store/search.ts'
import type { SearchKey } from '../../wire/search.ts'
import { lowerBound } from '../columns.ts'
import { RangeWalk, type Selected } from '../selected.ts'
import type { Session } from '../session.ts'
import { compileRowTest, no, perhaps, resolveSets, type ResolvedSets, type RowTest, yes } from './row-test.ts'
import { mergeUids, withoutUids } from './uid-lists.ts'

const rowsPerTurn = 8_000
const keysTimesRowsPerTurn = 32_000

/** UIDs, ascending. */
type Uids = readonly number[]

export class SearchRun {
  readonly #session: Session
  readonly #selected: Selected
  readonly #key: SearchKey
  readonly #sets: ResolvedSets
  /** Tests of the columns as they were. */
  readonly #compiled = new Map<SearchKey, { uids: Uint32Array; names: readonly string[]; test: RowTest }>()
  /** Ends what the store is doing for a client that has gone. */
  readonly #gone = new AbortController()

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
    const limit = this.#rowsAtOnce
    for (let span = walk.next(limit); span !== null; span = walk.next(limit)) {
      const test = this.#testFor(this.#key)
      const { uids } = this.#selected.index
      for (let row = span.from; row < span.to; row++) {
        const outcome = test(row)
        if (outcome === yes) found.push(uids[row]!)
        else if (outcome === perhaps) open.push(uids[row]!)
      }
      await this.#session.dialogue.breathe()
    }
    if (open.length === 0) return found
    try {
      return mergeUids(found, await this.#matching(this.#key, open))
    } catch (error) {
      if (this.#gone.signal.aborted) return []
      throw error
    }
  }

  /** Compiled anew only when the columns were replaced, which they are all at once. */
  #testFor(key: SearchKey): RowTest {
    const { uids, keywordNames: names } = this.#selected.index
    const had = this.#compiled.get(key)
    if (had?.uids === uids && had.names === names) return had.test
    const test = compileRowTest(key, this.#selected, this.#sets)
    this.#compiled.set(key, { uids, names, test })
    return test
  }

  get #rowsAtOnce(): number {
    return Math.max(50, Math.min(rowsPerTurn, Math.floor(keysTimesRowsPerTurn / countKeys(this.#key))))
  }

  /** Those that match a key which the columns alone cannot answer. */
  async #matching(key: SearchKey, uids: Uids): Promise<Uids> {
    if (uids.length === 0) return uids
    switch (key.kind) {
      case 'and':
        return this.#matchingAll(key.keys, uids)
      case 'or': {
        const left = await this.#matching(key.left, uids)
        return mergeUids(left, await this.#matching(key.right, withoutUids(uids, left)))
      }
      case 'not':
        return withoutUids(uids, await this.#matching(key.key, uids))
      default: {
        const criterion = criterionOf(key)
        return criterion === null ? this.#matchingRows(key, uids) : this.#ask([criterion], uids)
      }
    }
  }

  /** The texts last, and all of them at once: each message is read once. */
  async #matchingAll(keys: readonly SearchKey[], uids: Uids): Promise<Uids> {
    const criteria: SearchCriterion[] = []
    const others: SearchKey[] = []
    let left = uids
    for (const key of keys) {
      const criterion = criterionOf(key)
      if (criterion !== null) criteria.push(criterion)
      else if (key.kind === 'and' || key.kind === 'or' || key.kind === 'not') others.push(key)
      else left = await this.#matchingRows(key, left)
    }
    if (criteria.length > 0) left = await this.#ask(criteria, left)
    for (const key of others) left = await this.#matching(key, left)
    return left
  }

  async #matchingRows(key: SearchKey, uids: Uids): Promise<Uids> {
    const matching: number[] = []
    for (let i = 0; i < uids.length; i += rowsPerTurn) {
      const test = this.#testFor(key)
      this.#eachRow(uids.slice(i, i + rowsPerTurn), (row, uid) => {
        if (test(row) !== no) matching.push(uid)
      })
      await this.#session.dialogue.breathe()
    }
    return matching
  }

  async #ask(criteria: readonly SearchCriterion[], uids: Uids): Promise<Uids> {
    const { dialogue, options } = this.#session
    const asked: number[] = []
    const emailIds = new Float64Array(uids.length)
    for (let i = 0; i < uids.length; i += rowsPerTurn) {
      const ids = this.#selected.index.emailIds
      this.#eachRow(uids.slice(i, i + rowsPerTurn), (row, uid) => {
        emailIds[asked.length] = ids[row]!
        asked.push(uid)
      })
      await dialogue.breathe()
    }
    const places = await options.store.search(this.#selected.index.accountId, {
      ...{ emailIds: emailIds.subarray(0, asked.length), criteria, signal: this.#gone.signal },
      progress: () => {
        if (dialogue.closed) this.#gone.abort()
      },
    })
    return Array.from(places, (place) => asked[place]!)
  }

  /** Rows of those that are still there. */
  #eachRow(uids: Uids, call: (row: number, uid: number) => void): void {
    const { index } = this.#selected
    let row = lowerBound(index.uids, index.length, uids[0] ?? 0)
    for (const uid of uids) {
      while (row < index.length && index.uids[row]! < uid) row++
      if (row < index.length && index.uids[row] === uid) call(row, uid)
    }
  }
}

/** What the store is asked; null for a key that the columns answer. */
function criterionOf(key: SearchKey): SearchCriterion | null {
  if (key.kind === 'body' || key.kind === 'text') return { field: key.kind, needle: key.text }
  if (key.kind === 'header') return { field: 'header', name: key.name, needle: key.text }
  if (key.kind === 'date' && key.field === 'sent')
    return { field: 'sent', from: key.from, before: key.before }
  return null
}

function countKeys(key: SearchKey): number {
  if (key.kind === 'and') return key.keys.reduce((sum, one) => sum + countKeys(one), 1)
  if (key.kind === 'or') return 1 + countKeys(key.left) + countKeys(key.right)
  return key.kind === 'not' ? 1 + countKeys(key.key) : 1
}
