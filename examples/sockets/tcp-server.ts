/**
 * A TCP server: for each client that connects, reads a line and sends it back in upper case.
 *
 *   node tcp-server.ts [HOST] [PORT]        on all addresses and port 12000 unless told otherwise
 *
 * There are two kinds of socket here. The welcoming socket waits at the port everybody knows. Each client that knocks
 * gets a connection socket of its own, so that several are served at once. All of these have the same address and port
 * on our side; they are told apart by the client's address and source port.
 */
import { createServer, type Socket } from 'node:net'

const MAX_LETTERS = 65_536

const host = process.argv[2] ?? '0.0.0.0'
const port = Number(process.argv[3] ?? 12000)

/** Serves one client, on the connection socket that was made for it. */
function serve(connection: Socket): void {
  const client = `${connection.remoteAddress}:${connection.remotePort}`
  console.log(`${client} connected`)
  // TCP is a stream of octets and keeps no borders: a line may come in pieces, even half a letter at a time. The
  // decoder behind setEncoding puts letters together, we put lines together. A client that sends no line end at all
  // is done when it closes its side, which is the end of the stream.
  connection.setEncoding('utf8')
  let received = ''
  let isAnswered = false

  function answer(): void {
    if (isAnswered) return
    isAnswered = true
    const lineEnd = received.indexOf('\n')
    const sentence = lineEnd === -1 ? received : received.slice(0, lineEnd + 1)
    connection.end(sentence.toUpperCase())
  }

  connection.on('data', (text) => {
    received += text
    if (received.includes('\n')) answer()
    else if (received.length > MAX_LETTERS) connection.destroy()
    // The lecture's client sends neither a line end nor the end of the stream, and waits: after a moment of
    // silence we take what we have for the sentence.
    else connection.setTimeout(200, answer)
  })
  connection.on('end', answer)
  connection.on('error', (error) => console.log(`${client} broke off: ${error.message}`))
  connection.on('close', () => console.log(`${client} closed`))
}

const welcomingSocket = createServer({ allowHalfOpen: true }, serve)

welcomingSocket.on('error', (error) => {
  console.error(`tcp-server: ${error.message}`)
  process.exit(1)
})

welcomingSocket.listen(port, host, () => {
  const address = welcomingSocket.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  console.log(`The server is ready to receive on TCP port ${actual}`)
})
