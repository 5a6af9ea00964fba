import { FetchRun } from '../fetch/run.ts'
import { planFetch } from '../fetch/plan.ts'
import { ok, refuse } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'

/** RFC 3501 §6.4.5. The work is in ../fetch. */
export const fetch: Handlers['FETCH'] = {
  state: 'selected',
  tellsExpunges: ({ uid }) => uid,

  async run(session, { set, uid, items }, context) {
    const { view } = session
    const ranges = view.resolve(set, uid)
    const plan = planFetch(items, uid, view.readOnly)
    const { missing, unreadable } = await new FetchRun(session, plan, context).run(ranges)
    if (unreadable > 0) throw refuse('SERVERBUG', 'Some messages cannot be read')
    // RFC 2180 §4.1.2: the client asked for messages by number that others have removed.
    if (!uid && (missing > 0 || view.namesGhost(ranges)))
      throw refuse('EXPUNGEISSUED', 'Some messages are gone')
    return ok('Fetched')
  },
}
