/** Reports about mail and TLS: what others sent us, and what we send them. */
import { Hono } from 'hono'
import type { ReceivedReports } from '../reports/received/received-reports.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { readFields, readNumber } from './input.ts'

const idRange = { min: 1, max: Number.MAX_SAFE_INTEGER }

export function reportRoutes(options: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => {
      const limit = readNumber(context.req.query('limit'), 'limit', { min: 1, max: 1_000 }, 100)
      const domain = context.req.query('domain')?.toLowerCase() ?? null
      return context.json({ reports: await receivedOf(options).list({ domain, limit }) })
    })
    .post('/send', async (context) => {
      const reporter = options.reports?.reporter ?? null
      if (reporter === null) {
        const remedy = 'Start it with posthorn serve: what was seen is in the memory of the server.'
        throw new AdminError(409, 'no-server', 'No server runs that could send reports', remedy)
      }
      const fields = await readFields(context)
      const request = { today: fields['now'] === true, dryRun: fields['dryRun'] === true }
      return context.json({ dryRun: request.dryRun, reports: await reporter.send(request) })
    })
    .get('/:id', async (context) => {
      const id = readNumber(context.req.param('id'), 'report id', idRange)
      const report = await receivedOf(options).find(id)
      if (report !== null) return context.body(report, 200, { 'Content-Type': 'application/json' })
      const remedy = 'posthorn reports ls shows those there are.'
      throw new AdminError(404, 'report-unknown', `There is no report ${id}`, remedy)
    })
}

function receivedOf({ reports }: AdminOptions): ReceivedReports {
  if (reports !== undefined) return reports.received
  throw new AdminError(409, 'no-reports', 'This server keeps no reports', 'Start it with posthorn serve.')
}
