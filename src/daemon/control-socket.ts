/**
 * The door through which other `posthorn` commands reach the process that owns a data folder: the admin API over HTTP on
 * a Unix socket that only its user may open. A socket left over by a process that died is removed here, and only here:
 * who calls holds the lock of the folder, so nobody else can be listening on it.
 */
import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import type { Log } from '../base/log.ts'
import { StartError } from './start-error.ts'

/** Octets of one request. */
export const controlRequestOctets = 16_777_216

/** What answers the requests: a hono app. */
export interface ControlApp {
  fetch(request: Request): Response | Promise<Response>
}

export interface ControlSocket {
  readonly path: string
  close(): Promise<void>
}

/**
 * @param path From `controlPath`.
 * @param app Asked for at the first request: most servers run for months without one.
 * @throws {StartError}
 */
export async function openControlSocket(
  path: string,
  app: () => Promise<ControlApp>,
  log: Log,
): Promise<ControlSocket> {
  await ownFolder(dirname(path))
  await rm(path, { force: true })
  const server = createServer((request, response) => {
    answer(app, request, response).catch((error: unknown) => {
      log.error('control request failed', { error })
      response.destroy()
    })
  })
  await listenPrivately(server, path)
  return {
    path,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}

/** The folder is made when it is missing, and must be nobody else's: /tmp is everybody's. */
async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const facts = await lstat(folder)
  if (process.getuid !== undefined && (facts.uid !== process.getuid() || !facts.isDirectory())) {
    throw new StartError(
      `${folder} belongs to another user`,
      'Remove it, or set XDG_RUNTIME_DIR to a folder of yours.',
    )
  }
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  // Between bind and chmod anybody could connect, so the mode is right from the beginning; listen binds in this turn.
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
      process.umask(umask)
    })
  } catch (error) {
    const remedy = 'Look at the rights of that folder, or choose another data folder.'
    throw new StartError(`Cannot open the control socket ${path}: ${(error as Error).message}`, remedy, {
      cause: error,
    })
  } finally {
    process.umask(umask)
  }
  await chmod(path, 0o600)
}

async function answer(
  app: () => Promise<ControlApp>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming)
  if (body === null) {
    outgoing.writeHead(413).end()
    return
  }
  const method = incoming.method ?? 'GET'
  const request = new Request(`http://posthorn${incoming.url ?? '/'}`, {
    method,
    headers: Object.entries(incoming.headers).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
    body: method === 'GET' || method === 'HEAD' ? null : new Uint8Array(body),
  })
  const response = await (await app()).fetch(request)
  const octets = Buffer.from(await response.arrayBuffer())
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'content-length': octets.length,
  })
  outgoing.end(octets)
}

/** @returns Null when it is longer than `controlRequestOctets`. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    octets += chunk.length
    if (octets > controlRequestOctets) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
