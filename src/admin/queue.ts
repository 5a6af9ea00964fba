import { Hono } from 'hono'
import type { QueueEntry } from '../store/queue.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { readNumber } from './input.ts'

const idRange = { min: 1, max: Number.MAX_SAFE_INTEGER }

export function queueRoutes({ store, clock, queue }: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => {
      const limit = readNumber(context.req.query('limit'), 'limit', { min: 1, max: 10_000 }, 1_000)
      const entries = await store.listQueue(limit)
      return context.json({ entries: entries.map(shownEntry), active: queue?.active ?? 0 })
    })
    .post('/retry', async (context) => context.json({ retried: await store.retryNow(null, clock.now()) }))
    .post('/:id/retry', async (context) => {
      const queueId = readNumber(context.req.param('id'), 'queue id', idRange)
      const retried = await store.retryNow(queueId, clock.now())
      if (retried === 0) throw unknownEntry(queueId)
      return context.json({ retried })
    })
    .delete('/:id', async (context) => {
      const queueId = readNumber(context.req.param('id'), 'queue id', idRange)
      if (!(await store.dropEntry(queueId))) throw unknownEntry(queueId)
      return context.json({ queueId })
    })
}

/** Everything but the prefix and the place of the body: those are the message. */
function shownEntry(entry: QueueEntry): object {
  const { prefix, body, ...rest } = entry
  return { ...rest, octets: prefix.length + body.octets }
}

function unknownEntry(queueId: number): AdminError {
  const remedy = 'posthorn queue ls shows what waits; it may have left meanwhile.'
  return new AdminError(404, 'queue-unknown', `There is no message ${queueId} in the queue`, remedy)
}
