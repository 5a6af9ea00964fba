/** A milter that says what a test wants it to, and remembers what it was told. */
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { PacketReader } from './packet.ts'

export interface ScriptedMilter {
  readonly port: number
  /** Letter and data of each packet, NUL written as `|`; macros too. */
  readonly heard: string[]
  readonly connections: number
  readonly openConnections: number
  close(): Promise<void>
}

/** Answers by letter: packets as `letter + data`; null: none at all; a function decides each time. */
export type Script = Readonly<
  Record<string, readonly string[] | ((data: string) => readonly string[]) | 'close'>
>

/** Says `c` to what the script does not name, but nothing to macros, ABORT and QUIT. */
export async function startMilter(
  script: Script,
  negotiated: { actions?: number; steps?: number; version?: number; macros?: string } = {},
): Promise<ScriptedMilter> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer({ noDelay: true }, (socket) => {
    connections++
    sockets.add(socket)
    const reader = new PacketReader(10_000_000)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      for (const { letter, data } of reader.push(chunk)) {
        if (letter === 'O') {
          const answer = Buffer.alloc(12)
          answer.writeUInt32BE(negotiated.version ?? 6, 0)
          answer.writeUInt32BE(negotiated.actions ?? 0x1ff, 4)
          answer.writeUInt32BE(negotiated.steps ?? 0, 8)
          socket.write(packetOf('O' + answer.toString('latin1') + (negotiated.macros ?? '')))
          continue
        }
        const text = data.toString('latin1')
        heard.push(letter + text.replaceAll('\0', '|'))
        const answer = script[letter] ?? ('DAQ'.includes(letter) ? [] : ['c'])
        if (answer === 'close') socket.destroy()
        else
          for (const one of typeof answer === 'function' ? answer(text) : answer) socket.write(packetOf(one))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    get connections() {
      return connections
    },
    get openConnections() {
      return sockets.size
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

function packetOf(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(octets.length)
  return Buffer.concat([length, octets])
}

export function uint32(number: number): string {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(number)
  return octets.toString('latin1')
}
