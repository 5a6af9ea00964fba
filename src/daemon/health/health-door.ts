/**
 * Whether the server lives and can work, for those who watch it: `/healthz`, `/readyz` and `/metrics` over HTTP. It is the
 * first door to open and the last to close, so that the way up and the way down can be watched too.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Endpoint } from '../../base/config.ts'
import { StartError } from '../start-error.ts'

export interface HealthAnswers {
  /** `starting` and `draining` count as reasons too. */
  reasons(): Readonly<Record<string, string>>
  lagSeconds(): number
  /** Prometheus' text. */
  metrics(): string
}

export interface HealthDoor {
  readonly endpoints: readonly Endpoint[]
  close(): Promise<void>
}

const connectionsMax = 100
const requestMs = 5_000
const headerOctets = 8_192

/** @param withMetrics The door may be open to everybody: without it `/metrics` is not there. @throws {StartError} */
export async function openHealthDoor(
  endpoints: readonly Endpoint[],
  answers: HealthAnswers,
  withMetrics: boolean,
): Promise<HealthDoor> {
  const servers: Server[] = []
  const close = async (): Promise<void> => {
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
  for (const { address, port } of endpoints) {
    const bounds = { maxHeaderSize: headerOctets, requestTimeout: requestMs, headersTimeout: requestMs }
    const server = createServer(bounds, (request, response) =>
      answer(request, response, answers, withMetrics),
    )
    server.maxConnections = connectionsMax
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host: address, port }, resolve)
      })
    } catch (error) {
      await close()
      const door = withMetrics ? 'metrics' : 'http'
      const remedy = `Choose another port from 1024 on for listen.${door}.`
      const problem = `Cannot open listen.${door} on ${address}:${port}: ${(error as Error).message}`
      throw new StartError(problem, remedy, { cause: error })
    }
    server.on('error', () => {})
    servers.push(server)
  }
  const bound = servers.map((server) => server.address() as { address: string; port: number })
  return { endpoints: bound.map(({ address, port }) => ({ address, port })), close }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answers: HealthAnswers,
  withMetrics: boolean,
): void {
  const path = (request.url ?? '').split('?')[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain', 'GET or HEAD\n')
  } else if (path === '/healthz') {
    const body = {
      alive: true,
      uptimeSeconds: Math.round(process.uptime()),
      eventLoopLagSeconds: answers.lagSeconds(),
    }
    send(response, 200, 'application/json', `${JSON.stringify(body)}\n`)
  } else if (path === '/readyz') {
    const reasons = answers.reasons()
    const ready = Object.keys(reasons).length === 0
    send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify({ ready, reasons })}\n`)
  } else if (path === '/metrics' && withMetrics) {
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', answers.metrics())
  } else {
    send(response, 404, 'text/plain', 'Not here\n')
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const headers = {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  }
  response.writeHead(status, headers).end(body)
}
