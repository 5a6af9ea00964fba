/**
 * A TCP client: connects, sends one line from the keyboard, prints what comes back, and closes.
 *
 *   node tcp-client.ts [HOST] [PORT]        to localhost, port 12000 unless told otherwise
 *
 * Unlike with UDP there is a connection before anything is sent: if nobody listens at the port, we hear it at once.
 * What is sent arrives complete and in order, or the connection breaks and we hear that too.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline/promises'

const host = process.argv[2] ?? 'localhost'
const port = Number(process.argv[3] ?? 12000)

// The system chooses our source port. Together with our address and the server's it names this connection.
const connection = connect({ host, port })

connection.on('error', (error) => {
  // A host name with two addresses fails once for each; the message of such an error is empty.
  const reasons = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message
  console.error(`tcp-client: ${reasons}`)
  process.exit(1)
})

connection.on('connect', async () => {
  const keyboard = createInterface({ input: process.stdin, output: process.stdout })
  const sentence = await keyboard.question('Input lowercase sentence: ')
  keyboard.close()
  // The line end says where the sentence ends, because the stream itself does not.
  connection.write(`${sentence}\n`)
})

// The answer may come in several pieces; it is complete when the server has closed its side.
connection.setEncoding('utf8')
let answer = ''
connection.on('data', (text) => {
  answer += text
})
connection.on('end', () => {
  console.log(`From server: ${answer.trimEnd()}`)
  connection.end()
})
