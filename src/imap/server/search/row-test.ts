/**
 * The part of a search that the columns of the index can answer. A key becomes a test of one row with three outcomes;
 * `perhaps` means that the message itself has to be looked at.
 */
import type { MailboxIndex } from '../../../store/mailbox-index.ts'
import type { SearchKey } from '../../wire/search.ts'
import { lowerBound } from '../columns.ts'
import type { Selected, UidRange } from '../selected.ts'

export const no = 0
export const perhaps = 1
export const yes = 2
export type Outcome = typeof no | typeof perhaps | typeof yes

/** Valid until the event loop turns: the columns may be replaced then. */
export type RowTest = (row: number) => Outcome

/** Sets of a search, resolved once: what they mean must not change while it runs. */
export type ResolvedSets = ReadonlyMap<SearchKey, ResolvedSet>

interface ResolvedSet {
  readonly ranges: readonly UidRange[]
  /** The last UID of each range. */
  readonly ends: readonly number[]
}

export function resolveSets(key: SearchKey, selected: Selected): ResolvedSets {
  const sets = new Map<SearchKey, ResolvedSet>()
  const visit = (part: SearchKey): void => {
    if (part.kind === 'uid' || part.kind === 'sequence') {
      const ranges = part.kind === 'uid' ? selected.resolve(part.set, true) : selected.find(part.set)
      sets.set(part, { ranges, ends: ranges.map(({ last }) => last) })
    } else if (part.kind === 'not') visit(part.key)
    else if (part.kind === 'and') part.keys.forEach(visit)
    else if (part.kind === 'or') [part.left, part.right].forEach(visit)
  }
  visit(key)
  return sets
}

export function compileRowTest(key: SearchKey, selected: Selected, sets: ResolvedSets): RowTest {
  const { index } = selected
  const compile = (part: SearchKey): RowTest => compileRowTest(part, selected, sets)
  switch (key.kind) {
    case 'and':
      return all(key.keys.map(compile))
    case 'or':
      return either(compile(key.left), compile(key.right))
    case 'not':
      return negated(compile(key.key))
    case 'uid':
    case 'sequence':
      return inRanges(index.uids, sets.get(key)!)
    default:
      return compileSimple(key, selected, index)
  }
}

function compileSimple(key: SearchKey, selected: Selected, index: MailboxIndex): RowTest {
  const { uids, flags, sizes, internalDates } = index
  switch (key.kind) {
    case 'all':
      return () => yes
    case 'flag': {
      const { bit } = key
      const wanted = key.set ? bit : 0
      return (row) => ((flags[row]! & bit) === wanted ? yes : no)
    }
    case 'keyword':
      return keywordTest(index, key.name, key.set)
    case 'recent':
      return (row) => (selected.isRecent(uids[row]!) ? yes : no)
    case 'old':
      return (row) => (selected.isRecent(uids[row]!) ? no : yes)
    case 'larger':
      return (row) => (sizes[row]! > key.octets ? yes : no)
    case 'smaller':
      return (row) => (sizes[row]! < key.octets ? yes : no)
    case 'date':
      if (key.field === 'sent') return () => perhaps
      return (row) => (internalDates[row]! >= key.from && internalDates[row]! < key.before ? yes : no)
    default:
      return () => perhaps
  }
}

function keywordTest({ keywords, keywordNames }: MailboxIndex, name: string, set: boolean): RowTest {
  const bit = keywordNames.findIndex((known) => known.toUpperCase() === name.toUpperCase())
  if (bit < 0) return () => (set ? no : yes)
  const wanted = set ? 1 : 0
  return (row) => (((keywords[row]! >>> bit) & 1) === wanted ? yes : no)
}

function inRanges(uids: Uint32Array, { ranges, ends }: ResolvedSet): RowTest {
  return (row) => {
    const range = ranges[lowerBound(ends, ends.length, uids[row]!)]
    return range !== undefined && uids[row]! >= range.first ? yes : no
  }
}

function all(tests: readonly RowTest[]): RowTest {
  return (row) => {
    let outcome: Outcome = yes
    for (const test of tests) {
      const one = test(row)
      if (one === no) return no
      if (one === perhaps) outcome = perhaps
    }
    return outcome
  }
}

function either(left: RowTest, right: RowTest): RowTest {
  return (row) => {
    const one = left(row)
    if (one === yes) return yes
    return Math.max(one, right(row)) as Outcome
  }
}

function negated(test: RowTest): RowTest {
  return (row) => (yes - test(row)) as Outcome
}
