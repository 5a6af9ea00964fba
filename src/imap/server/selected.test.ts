import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MailboxIndex } from '../../store/mailbox-index.ts'
import { star } from '../wire/sequence-set.ts'
import { RangeWalk, Selected } from './selected.ts'
import { ImapShared } from './shared.ts'

/** An index that a test changes as the store would, and the sessions that hear of it. */
class FakeIndex {
  readonly uids: number[] = []
  readonly flags: number[] = []
  readonly modseqs: number[] = []
  readonly sessions: Selected[] = []
  readonly shared = new ImapShared()
  uidNext = 1
  highestModseq = 1
  keywordNames: string[] = []

  asIndex(): MailboxIndex {
    const index = this
    return {
      accountId: 1,
      mailboxId: 2,
      get length() {
        return index.uids.length
      },
      get uids() {
        return Uint32Array.from(index.uids)
      },
      get flags() {
        return Uint8Array.from(index.flags)
      },
      get modseqs() {
        return Float64Array.from(index.modseqs)
      },
      get uidNext() {
        return index.uidNext
      },
      get highestModseq() {
        return index.highestModseq
      },
      get keywordNames() {
        return index.keywordNames
      },
      rowOf: (uid: number) => index.uids.indexOf(uid),
    } as unknown as MailboxIndex
  }

  open(readOnly = false): Selected {
    const selected = new Selected({ index: this.asIndex(), mailbox: 'INBOX', readOnly, shared: this.shared })
    this.sessions.push(selected)
    return selected
  }

  add(count: number, flags = 0): void {
    const modseq = ++this.highestModseq
    const uids = Array.from({ length: count }, () => this.uidNext++)
    this.uids.push(...uids)
    this.flags.push(...uids.map(() => flags))
    this.modseqs.push(...uids.map(() => modseq))
    for (const session of this.sessions) session.notice({ kind: 'added', mailboxId: 2, modseq, uids })
  }

  expunge(uids: readonly number[]): void {
    const there = uids.filter((uid) => this.uids.includes(uid)).sort((a, b) => a - b)
    const modseq = ++this.highestModseq
    for (const uid of there) {
      const row = this.uids.indexOf(uid)
      for (const column of [this.uids, this.flags, this.modseqs]) column.splice(row, 1)
    }
    for (const session of this.sessions)
      session.notice({ kind: 'expunged', mailboxId: 2, modseq, uids: there })
  }

  flag(uid: number): void {
    const row = this.uids.indexOf(uid)
    if (row < 0) return
    this.modseqs[row] = ++this.highestModseq
    for (const session of this.sessions) {
      session.notice({ kind: 'flags', mailboxId: 2, modseq: this.highestModseq, uids: [uid] })
    }
  }
}

test('Numbers stay as they are until removals are told, and then move together', () => {
  const index = new FakeIndex()
  index.add(5)
  const session = index.open()
  index.expunge([2, 4])
  index.add(1)
  assert.equal(session.count, 5)
  assert.deepEqual(session.resolve([{ first: 3, last: 5 }], false), [{ first: 3, last: 5 }])
  assert.deepEqual(session.uidsIn(session.resolve([{ first: 1, last: star }], false)), [1, 3, 5])
  assert.equal(session.sequenceNumber(2), 5)
  assert.deepEqual(session.takeExpunged(), [4, 2])
  assert.equal(session.count, 3)
  assert.equal(session.takeArrivals(), true)
  assert.deepEqual(session.uidsIn(session.everything()), [1, 3, 5, 6])
})

test('A message that came and went between two commands is never told', () => {
  const index = new FakeIndex()
  const session = index.open()
  index.add(2)
  index.expunge([1])
  assert.deepEqual(session.takeExpunged(), [])
  assert.equal(session.takeArrivals(), true)
  assert.equal(session.count, 1)
})

test('Whoever hears first of a message has it as \\Recent; EXAMINE takes nothing away', () => {
  const index = new FakeIndex()
  index.add(2)
  assert.equal(index.open(true).recentCount, 2)
  const first = index.open()
  assert.equal(first.recentCount, 2)
  assert.equal(index.open().recentCount, 0)
  index.add(1)
  const second = index.sessions[2]!
  second.takeArrivals()
  first.takeArrivals()
  assert.deepEqual([first.recentCount, second.recentCount], [2, 1])
})

test('Changes of flags are told once, and not to whom made them', () => {
  const index = new FakeIndex()
  index.add(3)
  const [mine, other] = [index.open(), index.open()]
  const before = index.highestModseq
  index.flag(2)
  mine.ownChange(index.highestModseq, before)
  assert.deepEqual([mine.takeChanged(), other.takeChanged()], [[], [2]])
  assert.deepEqual([mine.takeChanged(), other.takeChanged()], [[], []])
  // A change that changed nothing gives back an old MODSEQ, which may be another session's.
  index.flag(3)
  mine.ownChange(index.highestModseq, index.highestModseq)
  assert.deepEqual(mine.takeChanged(), [3])
})

/** What a client does that only believes EXISTS and EXPUNGE. */
class Client {
  readonly session: Selected
  /** UIDs by number; 0: not asked for yet. */
  numbers: number[]

  constructor(session: Selected) {
    this.session = session
    this.numbers = session.uidsIn(session.everything())
  }

  hear(expunges: boolean): void {
    if (expunges) for (const number of this.session.takeExpunged()) this.numbers.splice(number - 1, 1)
    if (!this.session.takeArrivals()) return
    const fresh = this.session
      .uidsIn(this.session.everything())
      .slice(-(this.session.count - this.numbers.length))
    this.numbers.push(...fresh)
  }

  check(): void {
    assert.equal(this.session.count, this.numbers.length)
    const walk = new RangeWalk(this.session, this.session.everything())
    for (let span = walk.next(2); span !== null; span = walk.next(2)) {
      for (let row = span.from; row < span.to; row++) {
        assert.equal(this.numbers[row + span.ghosts], this.session.index.uids[row])
      }
    }
    for (const [i, uid] of this.numbers.entries()) {
      assert.deepEqual(this.session.resolve([{ first: i + 1, last: i + 1 }], false), [
        { first: uid, last: uid },
      ])
    }
  }
}

test('Whatever happens in a mailbox, client and session mean the same message by a number', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constant('expunge' as const),
      uids: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('hear' as const), who: fc.nat(1), expunges: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const index = new FakeIndex()
      index.add(3)
      const clients = [new Client(index.open()), new Client(index.open())]
      for (const one of steps) {
        if (one.kind === 'add') index.add(one.count)
        else if (one.kind === 'expunge') index.expunge([...new Set(one.uids)])
        else clients[one.who]!.hear(one.expunges)
        for (const client of clients) client.check()
      }
    }),
  )
})
