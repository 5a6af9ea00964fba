/** For tests: a server on loopback that says and expects exactly what a transcript says. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Endpoint } from '../../base/config.ts'
import { Peer, type TlsTerms } from '../../base/peer.ts'

export interface ScriptedServer {
  readonly endpoint: Endpoint
  /** What of the transcript did not come true; empty when all of it did. Call after the client has finished. */
  problems(): Promise<string[]>
  close(): void
}

/**
 * @param script Lines `C: …` as they must come and `S: …` as they are said, octets over 127 one char each. `S: (close)`,
 *   `S: (reset)` and `S: (tls)` do what they say; `S: (raw …)` sends a JSON string as it is; `C: (close)` waits for the
 *   end. A blank line and `--` begin the script of the next connection.
 */
export async function scriptedServer(script: string, tls?: TlsTerms): Promise<ScriptedServer> {
  const scripts = script.split(/^\s*--\s*$/m).map((part) =>
    part
      .split('\n')
      .map((line) => line.trimStart())
      .filter((line) => line !== ''),
  )
  const problems: string[] = []
  const running: Promise<void>[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const steps = scripts.shift()
    sockets.push(socket)
    if (steps === undefined) {
      problems.push('a connection too many')
      socket.destroy()
      return
    }
    running.push(play(new Peer(socket), socket, steps, problems, tls))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: { address: '127.0.0.1', port: (server.address() as AddressInfo).port },
    async problems() {
      await Promise.all(running)
      if (scripts.length > 0) problems.push(`${scripts.length} connections never came`)
      return problems
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function play(
  peer: Peer,
  socket: Socket,
  steps: string[],
  problems: string[],
  tls?: TlsTerms,
): Promise<void> {
  let buffer = ''
  let closed = false
  let wake = (): void => {}
  peer.handle({
    data(chunk) {
      buffer += Buffer.from(chunk).toString('latin1')
      wake()
    },
    end: () => peer.end(),
    idle() {},
    close() {
      closed = true
      wake()
    },
  })
  async function line(): Promise<string> {
    for (;;) {
      const end = buffer.indexOf('\r\n')
      if (end >= 0) {
        const found = buffer.slice(0, end)
        buffer = buffer.slice(end + 2)
        return found
      }
      if (closed) return '(close)'
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  for (const step of steps) {
    const text = step.slice(3)
    if (step.startsWith('C: ')) {
      const found = await line()
      if (found === text) continue
      problems.push(`expected ${JSON.stringify(text)}, found ${JSON.stringify(found)}`)
      break
    } else if (text === '(close)') peer.end()
    else if (text === '(reset)') socket.resetAndDestroy()
    else if (text === '(tls)') await peer.startTls(tls!, 5_000).catch(() => {})
    else if (text.startsWith('(raw ')) peer.write(JSON.parse(text.slice(5, -1)) as string)
    else peer.write(`${text}\r\n`)
    peer.flush()
  }
  if (buffer !== '') problems.push(`more than expected: ${JSON.stringify(buffer.slice(0, 200))}`)
}
