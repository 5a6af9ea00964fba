/** Ports on loopback that nobody listens on. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A port that is free for TCP and for UDP. It is not reserved: the system gives out ports in turn, so that another
 * process gets the same one only if it comes round within the moment. Prefer port 0 where the program can say what it got.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const [port] = await freePorts(1, host)
  return port!
}

/** Several different free ports. */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const held = []
  try {
    while (held.length < count) {
      const both = await holdPort(host)
      if (both !== null) held.push(both)
    }
    return held.map(({ port }) => port)
  } finally {
    for (const { release } of held) release()
  }
}

/** Opens a TCP port of the system's choice and the UDP port of the same number; null when that one is taken. */
async function holdPort(host: string): Promise<{ port: number; release: () => void } | null> {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const release = (): void => {
    server.close()
    socket.close()
  }
  try {
    socket.bind(port, host)
    await once(socket, 'listening')
    return { port, release }
  } catch {
    release()
    return null
  }
}

/** Waits until somebody accepts connections there. */
export async function waitForPort(port: number, host = '127.0.0.1', timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await accepts(port, host))) {
    if (performance.now() > deadline)
      throw new Error(`Nobody listens on ${host}:${port} after ${timeoutMs} ms`)
    await sleep(30)
  }
}

function accepts(port: number, host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, host)
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
