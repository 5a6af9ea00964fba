/** Calls the admin API, over a control socket or in this process; a refusal comes back as an error to be shown. */
import { request } from 'node:http'
import { CliError, type ExitCode, exitCodes } from './cli-error.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Answered {
  readonly status: number
  readonly text: string
}

/** How one request travels. */
export type Transport = (method: Method, path: string, body: string | null) => Promise<Answered>

/** The admin API of one server. */
export class AdminDoor {
  /** The server's domain; '' when there is only one server. */
  readonly name: string
  /** False: the store was opened by this command itself. */
  readonly running: boolean
  readonly #transport: Transport

  constructor(name: string, running: boolean, transport: Transport) {
    this.name = name
    this.running = running
    this.#transport = transport
  }

  /** @param body A string is sent as it is, anything else as JSON. @throws {CliError} */
  async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await this.#transport(method, path, text)
    const value: unknown = readJson(answer.text)
    if (answer.status < 400) return value as T
    throw refusalOf(answer.status, value)
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const remedy = 'Is this server of the same version as the command?'
    throw new CliError(exitCodes.refused, 'The server gave an answer that cannot be read', remedy, {
      cause: error,
    })
  }
}

const exitCodeOf: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  404: exitCodes.notFound,
  413: exitCodes.usage,
  503: exitCodes.tryLater,
}

/** A refusal that names a line of what was sent. */
export class LineRefused extends CliError {
  readonly line: number

  constructor(cause: CliError, line: number) {
    super(cause.exitCode, cause.message, cause.remedy, { code: cause.code, cause })
    this.line = line
  }
}

function refusalOf(status: number, value: unknown): CliError {
  const { error } = value as { error?: { code?: string; message?: string; remedy?: string; line?: number } }
  const refusal = new CliError(
    exitCodeOf[status] ?? exitCodes.refused,
    error?.message ?? `The server answered ${status}`,
    error?.remedy ?? '',
    { code: error?.code ?? 'failed' },
  )
  return error?.line === undefined ? refusal : new LineRefused(refusal, error.line)
}

/** A socket that nobody listens on: no server runs. */
export class NobodyThere extends Error {}

/**
 * @param prefix Stands before every path: the Lab has two servers behind one socket.
 * @returns Its promise rejects with `NobodyThere` when nobody listens.
 */
export function socketTransport(socketPath: string, prefix = ''): Transport {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ socketPath, method, path: `${prefix}${path}`, agent: false }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 500, text: Buffer.concat(chunks).toString('utf8') })
        })
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        reject(
          isNobody(error)
            ? new NobodyThere('Nobody listens', { cause: error })
            : unreachable(socketPath, error),
        )
      })
      outgoing.end(body ?? undefined)
    })
}

function isNobody(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): CliError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    const remedy = 'Run the command as the user who runs the server.'
    return new CliError(exitCodes.auth, `${socketPath} belongs to another user`, remedy, { cause: error })
  }
  const remedy = 'The server may be stopping: try again.'
  return new CliError(exitCodes.tryLater, `The server did not answer: ${error.message}`, remedy, {
    cause: error,
  })
}

interface App {
  request(path: string, init: RequestInit): Response | Promise<Response>
}

export function directTransport(app: App): Transport {
  return async (method, path, body) => {
    const response = await app.request(path, { method, body })
    return { status: response.status, text: await response.text() }
  }
}
