/** A program that answers POST requests as a test wants it to, and remembers them. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export interface Heard {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** One char per octet. */
  readonly body: string
}

export interface ScriptedHttp {
  readonly port: number
  readonly heard: Heard[]
  /** Connections so far, and requests that were at work at once at most. */
  readonly connections: number
  readonly atOnce: number
  close(): Promise<void>
}

/** A text is the body of a 200; `hang`: no answer; `cut`: half of one; a function does it all. */
export type HttpScript = string | ((heard: Heard, answer: ServerResponse) => void | Promise<void>)

export async function startHttp(
  script: HttpScript,
  tls: { readonly cert: string; readonly key: string } | null = null,
): Promise<ScriptedHttp> {
  const heard: Heard[] = []
  const sockets = new Set<Socket>()
  let [connections, working, atOnce] = [0, 0, 0]
  const server = tls === null ? createServer() : createSecureServer(tls)
  server.on('request', async (request, response) => {
    atOnce = Math.max(atOnce, ++working)
    let body = ''
    for await (const piece of request) body += (piece as Buffer).toString('latin1')
    const one = { path: request.url ?? '', headers: request.headers, body }
    heard.push(one)
    if (typeof script === 'string') response.end(script)
    else await script(one, response)
    working--
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    get connections() {
      return connections
    },
    get atOnce() {
      return atOnce
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
