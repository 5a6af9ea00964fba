/**
 * POST requests to one program over HTTP: a bounded number at once, connections kept, answers bounded in time and size.
 *
 * Names are looked up by our own resolver: `reach` opens the connections, not Node.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { isIP } from 'node:net'
import { connect as startTls, rootCertificates } from 'node:tls'
import type { HttpFilterConfig } from '../../base/filter-config.ts'
import type { FilterSurroundings } from './reach.ts'
import { Turns } from './turns.ts'

export interface HttpAnswer {
  /** 200 to 299. */
  readonly status: number
  readonly body: Buffer
}

/** There is no answer that could be used. */
export class HttpFault extends Error {
  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(`${url} ${problem}`, options)
    this.name = 'HttpFault'
  }
}

export interface HttpRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[]>>
  /** Octets, not changed until the answer is there. */
  readonly body: readonly Uint8Array[]
  readonly answerOctets: number
  /** Ends the request; its answer is then an error. */
  readonly signal: AbortSignal
}

export interface HttpCaller {
  readonly url: URL
  /** @throws {HttpFault} */
  post(request: HttpRequest): Promise<HttpAnswer>
  /** Lets go of kept connections. */
  close(): void
}

type Connected = (error: Error | null, socket: Duplex) => void

export function createHttpCaller(config: HttpFilterConfig, around: FilterSurroundings): HttpCaller {
  const url = new URL(config.url)
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const place = { kind: 'inet', host, port: Number(url.port) || (secure ? 443 : 80) } as const
  const ca = [...rootCertificates, ...around.authorities]
  // Node's own bound does not count connections that are still being opened.
  const turns = new Turns(config.requests)
  const options = { keepAlive: true, maxFreeSockets: config.requests }
  const agent = secure ? new SecureAgent(options) : new Agent(options)
  // Node waits for the call when nothing is given back.
  const createConnection = (_options: unknown, connected: Connected): undefined => {
    const open = async (): Promise<Duplex> => {
      const socket = await around.reach(place, config.timeoutMs)
      if (!secure) return socket
      // SNI is for names only, RFC 6066 §3.
      return startTls({
        socket,
        host,
        ca,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 ? { servername: host } : {}),
      })
    }
    void open().then(
      (socket) => connected(null, socket),
      (error: Error) => connected(error, undefined as unknown as Duplex),
    )
  }
  Object.assign(agent, { createConnection })
  const target = { agent, method: 'POST', protocol: url.protocol, hostname: host, port: place.port }

  function once(asked: HttpRequest): Promise<HttpAnswer> {
    const { path, headers, body, signal, answerOctets } = asked
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
    const length = body.reduce((sum, piece) => sum + piece.length, 0)
    const all = { ...headers, 'Content-Length': String(length), Host: url.host }
    const sent = (secure ? secureRequest : request)({ ...target, path, headers: all, signal })
    sent.on('error', (error) => reject(staleOr(sent, error, config.url)))
    sent.on('response', (answer) => {
      collect(answer, answerOctets).then(
        (octets) => resolve({ status: answer.statusCode ?? 0, body: octets }),
        (error: Error) => {
          sent.destroy()
          reject(new HttpFault(config.url, error.message, { cause: error }))
        },
      )
    })
    for (const piece of body) sent.write(piece)
    sent.end()
    return promise
  }

  return {
    url,
    async post(asked) {
      const late = new AbortController()
      const cancel = around.clock.after(config.timeoutMs, () => late.abort())
      const bounded = { ...asked, signal: AbortSignal.any([asked.signal, late.signal]) }
      let leave: (() => void) | null = null
      try {
        leave = await turns.take(bounded.signal)
        const answer = await once(bounded).catch((error: unknown) => {
          // A kept connection that the other side was just closing: the request was not looked at.
          if (error instanceof Stale) return once(bounded)
          throw error
        })
        if (answer.status >= 200 && answer.status < 300) return answer
        throw new HttpFault(config.url, `answers ${answer.status}`)
      } catch (error) {
        if (late.signal.aborted) throw new HttpFault(config.url, `gave no answer in ${config.timeoutMs} ms`)
        throw error instanceof Stale ? error.fault : error
      } finally {
        leave?.()
        cancel()
      }
    },
    close: () => agent.destroy(),
  }
}

class Stale extends Error {
  readonly fault: HttpFault

  constructor(fault: HttpFault) {
    super('stale')
    this.fault = fault
  }
}

function staleOr(sent: ClientRequest, error: NodeJS.ErrnoException, url: string): Error {
  const fault = new HttpFault(url, `cannot be asked: ${error.message}`, { cause: error })
  const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
  return stale ? new Stale(fault) : fault
}

function collect(answer: IncomingMessage, maxOctets: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const pieces: Buffer[] = []
  let octets = 0
  answer.on('data', (piece: Buffer) => {
    octets += piece.length
    if (octets > maxOctets) reject(new Error(`answers more than ${maxOctets} octets`))
    else pieces.push(piece)
  })
  answer.on('end', () => resolve(Buffer.concat(pieces)))
  answer.on('error', reject)
  answer.on('close', () => reject(new Error('did not end its answer')))
  return promise
}
