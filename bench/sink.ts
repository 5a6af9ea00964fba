/**
 * A server that speaks enough SMTP and IMAP to be measured and keeps nothing: what the sockets, the lines and the runtime
 * cost by themselves. Prints `{"smtp":port,"imap":port}` when it listens.
 */
import { createServer, type Server, type Socket } from 'node:net'

/** Lines of one answer to FETCH. */
export const fetchLines = 20_000

function smtp(socket: Socket): void {
  let held = ''
  let inData = false
  socket.write('220 sink\r\n')
  socket.on('data', (chunk: Buffer) => {
    if (inData) {
      // Enough for a load that sends one message at a time.
      if (!chunk.subarray(-5).equals(Buffer.from('\r\n.\r\n'))) return
      inData = false
      socket.write('250 ok\r\n')
      return
    }
    held += chunk.toString('latin1')
    let replies = ''
    for (let end = held.indexOf('\r\n'); end >= 0; end = held.indexOf('\r\n')) {
      inData = held.startsWith('DATA')
      replies += inData ? '354 go on\r\n' : '250 ok\r\n'
      held = held.slice(end + 2)
    }
    if (replies !== '') socket.write(replies)
  })
  socket.on('error', () => {})
}

function imap(socket: Socket): void {
  let lines = ''
  for (let n = 1; n <= fetchLines; n++) lines += `* ${n} FETCH (UID ${n} FLAGS (\\Seen))\r\n`
  const answer = Buffer.from(lines)
  socket.write('* OK sink\r\n')
  socket.on('data', (chunk: Buffer) => {
    const line = chunk.toString('latin1')
    if (/FETCH/i.test(line)) socket.write(answer)
    socket.write(`${line.split(' ', 1)[0]} OK done\r\n`)
  })
  socket.on('error', () => {})
}

function port(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const servers = [createServer({ noDelay: true }, smtp), createServer({ noDelay: true }, imap)]
await Promise.all(
  servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
)
process.stdout.write(`${JSON.stringify({ smtp: port(servers[0]!), imap: port(servers[1]!) })}\n`)
