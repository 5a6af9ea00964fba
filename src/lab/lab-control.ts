import type { PosthornServer } from '../daemon/server.ts'
import type { ControlApp } from '../daemon/control-socket.ts'

/** What the Lab itself can be asked to do, besides what its two servers can. */
export interface LabActions {
  /** Puts Bob's two letters back. */
  reset(): Promise<void>
  stop(): void
}

/**
 * The Lab's control socket: `/crepes.fr/v1/…` and `/hamburger.edu/v1/…` are the admin APIs of the two servers,
 * `POST /v1/lab/reset` and `POST /v1/lab/stop` are its own.
 */
export function labControl(servers: readonly PosthornServer[], actions: LabActions): ControlApp {
  return {
    async fetch(request) {
      const url = new URL(request.url)
      if (request.method === 'POST' && url.pathname === '/v1/lab/reset') {
        await actions.reset()
        return Response.json({ reset: true })
      }
      if (request.method === 'POST' && url.pathname === '/v1/lab/stop') {
        actions.stop()
        return Response.json({ stopping: true })
      }
      const [, domain = '', ...rest] = url.pathname.split('/')
      const server = servers.find((one) => one.line.domain === domain)
      if (server !== undefined) {
        url.pathname = `/${rest.join('/')}`
        return (await server.adminApp()).fetch(new Request(url, request))
      }
      const remedy = `Its servers are ${servers.map((one) => one.line.domain).join(' and ')}.`
      return Response.json(
        { error: { code: 'no-such-route', message: 'The Lab has no such thing', remedy } },
        { status: 404 },
      )
    },
  }
}
