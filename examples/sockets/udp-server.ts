/**
 * A UDP server: turns what arrives into upper case and sends it back to whoever sent it.
 *
 *   node udp-server.ts [HOST] [PORT]        on all addresses and port 12000 unless told otherwise
 *
 * UDP knows no connections. One socket serves every client, and each datagram is a matter of its own: it
 * carries the address and port it came from, and that is all the server needs in order to answer.
 */
import { createSocket } from 'node:dgram'

const host = process.argv[2] ?? '0.0.0.0'
const port = Number(process.argv[3] ?? 12000)

const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')

socket.on('message', (datagram, client) => {
  const sentence = datagram.toString('utf8')
  console.log(`${client.address}:${client.port} sent ${datagram.length} octets`)
  // Upper case may need more octets than lower case did: the server sends what it has, whole, in one datagram.
  socket.send(sentence.toUpperCase(), client.port, client.address)
})

// A port that somebody else has, or one below 1024 without the right to it.
socket.on('error', (error) => {
  console.error(`udp-server: ${error.message}`)
  process.exit(1)
})

socket.bind(port, host, () => {
  console.log(`The server is ready to receive on UDP port ${socket.address().port}`)
})
