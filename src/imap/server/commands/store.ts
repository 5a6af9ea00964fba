import { RangeWalk } from '../selected.ts'
import { OctetWriter } from '../fetch/octet-writer.ts'
import { writeItems } from '../fetch/line.ts'
import type { FetchItem } from '../../wire/fetch.ts'
import { ok, refuse } from '../../wire/refusal.ts'
import type { UidRange } from '../selected.ts'
import { assertWritable } from '../writable.ts'
import { announce } from '../announce.ts'
import type { Handlers, Session } from '../session.ts'

const rowsPerTurn = 2_000

/** RFC 3501 §6.4.6. */
export const store: Handlers['STORE'] = {
  state: 'selected',
  tellsExpunges: ({ uid }) => uid,

  async run(session, { set, uid, op, silent, flags, keywords }) {
    assertWritable(session)
    const { view } = session
    const { index } = view
    const ranges = view.resolve(set, uid)
    // What others changed before is told, so that what this command answers for is its own doing only.
    await announce(session, false)
    const uids = view.uidsIn(ranges)
    if (uids.length > 0) {
      const change = { op, flags, keywords: keywords.map((name) => knownSpelling(index.keywordNames, name)) }
      const before = index.highestModseq
      const { modseq } = await session.options.store.storeFlags(
        index.accountId,
        index.mailboxId,
        uids,
        change,
      )
      view.ownChange(modseq, before)
      await announce(session, false)
      if (!silent) await tellFlags(session, ranges, uid)
    }
    if (!uid && view.namesGhost(ranges)) throw refuse('EXPUNGEISSUED', 'Some messages are gone')
    return ok('Stored')
  },
}

/** RFC 5788 §2.1: keywords are the same in any case. */
export function knownSpelling(known: readonly string[], name: string): string {
  if (known.includes(name)) return name
  return known.find((other) => other.toUpperCase() === name.toUpperCase()) ?? name
}

/** The new value of every message named, changed or not. */
async function tellFlags(session: Session, ranges: readonly UidRange[], uid: boolean): Promise<void> {
  const { view, dialogue } = session
  const items: FetchItem[] = uid ? [{ kind: 'uid' }, { kind: 'flags' }] : [{ kind: 'flags' }]
  const writer = new OctetWriter()
  const walk = new RangeWalk(view, ranges)
  for (let span = walk.next(rowsPerTurn); span !== null; span = walk.next(rowsPerTurn)) {
    for (let row = span.from; row < span.to; row++) {
      writeItems(writer, view, row, span.ghosts, items, null)
      writer.short(')\r\n')
    }
    if (writer.fits) continue
    for (const piece of writer.take()) dialogue.write(piece)
    await dialogue.breathe()
  }
  for (const piece of writer.take()) dialogue.write(piece)
}
