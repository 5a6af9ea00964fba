import { Hono } from 'hono'
import type { JourneyQuery } from '../journey/event.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { readNumber } from './input.ts'

const idRange = { min: 1, max: Number.MAX_SAFE_INTEGER }

/** Who may use this API sees every event: it is the admin's view, and the Lab's. */
export function journeyRoutes({ journeys }: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => {
      const query = readQuery((name) => context.req.query(name))
      return context.json({ journeys: journeys === null ? [] : await journeys.find(query) })
    })
    .get('/:id', async (context) => {
      const journeyId = context.req.param('id')
      const [found] = journeys === null ? [] : await journeys.find({ journeyId, limit: 1 })
      if (found !== undefined) return context.json(found)
      const remedy = 'posthorn way shows the newest; facts are kept for 90 days.'
      throw new AdminError(404, 'journey-unknown', `There is no journey ${journeyId}`, remedy)
    })
}

/** `id`, `messageId`, `rcpt`, `from`, `ip`, `refused`, `queueId`, `client` + `server` + `transaction` (a link), `limit`. */
function readQuery(get: (name: string) => string | undefined): JourneyQuery {
  const query: { -readonly [K in keyof JourneyQuery]: JourneyQuery[K] } = {
    limit: readNumber(get('limit'), 'limit', { min: 1, max: 1_000 }, 20),
  }
  const id = get('id')
  if (id !== undefined) query.journeyId = id
  const messageId = get('messageId')
  if (messageId !== undefined) query.messageId = messageId
  const recipient = get('rcpt')
  if (recipient !== undefined) query.recipient = recipient
  const reversePath = get('from')
  if (reversePath !== undefined) query.reversePath = reversePath
  const address = get('ip')
  if (address !== undefined) query.remoteAddress = address
  const refused = get('refused')
  if (refused !== undefined) query.refused = refused !== '0'
  const queueId = get('queueId')
  if (queueId !== undefined) query.queueId = readNumber(queueId, 'queueId', idRange)
  const client = get('client')
  const server = get('server')
  if (client !== undefined && server !== undefined) {
    const transaction = readNumber(get('transaction'), 'transaction', { min: 0, max: 1_000_000 }, 0)
    query.link = { client, server, transaction }
  }
  return query
}
