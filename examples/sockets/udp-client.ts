/**
 * A UDP client: sends one line from the keyboard as a datagram and prints the datagram that comes back.
 *
 *   node udp-client.ts [HOST] [PORT]        to localhost, port 12000 unless told otherwise
 *
 * Nothing is set up before sending, and nothing says whether the datagram has arrived. When no answer comes, the
 * client cannot know why; it can only stop waiting.
 */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { createInterface } from 'node:readline/promises'

const TIMEOUT_MS = 2000

const host = process.argv[2] ?? 'localhost'
const port = Number(process.argv[3] ?? 12000)

const keyboard = createInterface({ input: process.stdin, output: process.stdout })
const sentence = await keyboard.question('Input lowercase sentence: ')
keyboard.close()

// The name becomes an address before the socket is made, because a UDP socket is for IPv4 or for IPv6.
const server = await lookup(host, { family: host.includes(':') ? 6 : 4 })
const socket = createSocket(server.family === 6 ? 'udp6' : 'udp4')

const timer = setTimeout(() => {
  console.error(
    `No answer from ${host} port ${port} within ${TIMEOUT_MS / 1000} seconds. UDP does not say why: the server may not\n` +
      'be running, or the question or the answer was lost on the way. Trying again is up to you.',
  )
  socket.close()
  process.exitCode = 1
}, TIMEOUT_MS)

socket.on('message', (datagram) => {
  clearTimeout(timer)
  console.log(datagram.toString('utf8'))
  socket.close()
})

socket.on('error', (error) => {
  clearTimeout(timer)
  console.error(`udp-client: ${error.message}`)
  process.exitCode = 1
})

// The first send gives the socket a port of its own; the server answers to that port.
socket.send(sentence, port, server.address)
