import { ok } from '../../wire/refusal.ts'
import { SearchRun } from '../search/run.ts'
import { lowerBound } from '../columns.ts'
import type { Handlers, Session } from '../session.ts'

/** Numbers of one piece of the response. */
const numbersPerPiece = 4_000

/** RFC 3501 §6.4.4. The work is in ../search. */
export const search: Handlers['SEARCH'] = {
  state: 'selected',
  tellsExpunges: ({ uid }) => uid,

  async run(session, { key, uid }) {
    const uids = await new SearchRun(session, key).run()
    const numbers = uid ? uids : sequenceNumbers(session, uids)
    session.dialogue.write('* SEARCH')
    for (let i = 0; i < numbers.length; i += numbersPerPiece) {
      session.dialogue.write(` ${numbers.slice(i, i + numbersPerPiece).join(' ')}`)
      if (i > 0) await session.dialogue.breathe()
    }
    session.dialogue.write('\r\n')
    return ok('Searched')
  },
}

/** What has gone meanwhile has no message to show any more and is left out. */
function sequenceNumbers({ view }: Session, uids: readonly number[]): number[] {
  const { index } = view
  const numbers: number[] = []
  for (const uid of uids) {
    const row = lowerBound(index.uids, index.length, uid)
    if (index.uids[row] === uid && row < index.length) numbers.push(view.sequenceNumber(row))
  }
  return numbers
}
