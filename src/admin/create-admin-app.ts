/**
 * The admin API: JSON over HTTP, served on the control socket, and called directly by a command that has opened the store
 * itself because no server runs. Both ways run this same code.
 */
import { Hono } from 'hono'
import type { AdminOptions } from './admin-options.ts'
import { accountRoutes } from './accounts.ts'
import { AdminError, translateError } from './admin-error.ts'
import { aliasRoutes } from './aliases.ts'
import { backupRoutes } from './backup.ts'
import { banRoutes, sendingRoutes } from './guards.ts'
import { domainKeyRoutes } from './domain-keys.ts'
import { domainRoutes } from './domains.ts'
import { journeyRoutes } from './journeys.ts'
import { letterRoutes } from './letters.ts'
import { queueRoutes } from './queue.ts'
import { reportRoutes } from './reports.ts'
import { storeRoutes } from './store.ts'
import { exportRoutes, importRoutes } from './transfer.ts'
import { undeleteRoutes } from './undelete.ts'

export function createAdminApp(options: AdminOptions): Hono {
  const app = new Hono()
  app.onError((error, context) => {
    const refusal = translateError(error)
    if (refusal.status >= 500) options.log.error('admin request failed', { path: context.req.path, error })
    return context.json(refusal, refusal.status)
  })
  app.notFound((context) => {
    const what = `${context.req.method} ${context.req.path}`
    return context.json(
      new AdminError(404, 'no-such-route', `There is no ${what}`, 'Look at docs/operating.md.'),
      404,
    )
  })
  app.route('/v1/domains', domainRoutes(options))
  app.route('/v1/domains', domainKeyRoutes(options))
  app.route('/v1/accounts', accountRoutes(options))
  app.route('/v1/bans', banRoutes(options))
  app.route('/v1/sending', sendingRoutes(options))
  app.route('/v1/aliases', aliasRoutes(options))
  app.route('/v1/queue', queueRoutes(options))
  app.route('/v1/journeys', journeyRoutes(options))
  app.route('/v1/reports', reportRoutes(options))
  app.route('/v1/letters', letterRoutes(options))
  app.route('/v1/imports', importRoutes(options))
  app.route('/v1/exports', exportRoutes(options))
  app.route('/v1/backup', backupRoutes(options))
  app.route('/v1/store', storeRoutes(options))
  app.route('/v1/undelete', undeleteRoutes(options))
  app.get('/v1/status', (context) => context.json(options.status?.() ?? { pid: null }))
  app.post('/v1/reload', async (context) => {
    if (options.reload === undefined || options.reload === null)
      throw new AdminError(409, 'no-server', 'No server runs', 'It will read the file when it starts.')
    try {
      return context.json(await options.reload())
    } catch (error) {
      const remedy = (error as { remedy?: string }).remedy ?? 'Everything stays as it was.'
      throw new AdminError(409, 'cannot-reload', (error as Error).message, remedy)
    }
  })
  app.post('/v1/stop', (context) => {
    if (options.stop === null)
      throw new AdminError(409, 'no-server', 'No server runs', 'There is nothing to stop.')
    options.stop()
    return context.json({ stopping: true })
  })
  return app
}
