/** Clients that want nothing but room. Argument: the port. Prints what it holds once all of them have tried. */
import { connect, type Socket } from 'node:net'

export interface FloodCounts {
  readonly silent: number
  readonly slow: number
  readonly churning: number
  readonly refused: number
}

const port = Number(process.argv[2])
const each = 1_000
const churners = 100
/** Of one address: under the bound for strangers. */
const perAddress = 20
let refused = 0

/** Each group of `perAddress` comes from a network of its own. */
function open(n: number, kind: number): Promise<Socket | null> {
  const group = Math.floor(n / perAddress)
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: `127.${kind}.${group}.1` })
    const fail = (): void => {
      refused++
      resolve(null)
    }
    socket.once('error', fail)
    socket.once('data', (greeting) => {
      socket.off('error', fail)
      socket.on('error', () => {})
      if (!String(greeting).startsWith('220')) return fail()
      resolve(socket)
    })
  })
}

async function openAll(kind: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let n = 0; n < each; n += 100) {
    const some = await Promise.all(Array.from({ length: 100 }, (_, i) => open(n + i, kind)))
    sockets.push(...some.filter((socket) => socket !== null))
  }
  return sockets
}

const silent = await openAll(10)
const slow = await openAll(11)
setInterval(() => {
  for (const socket of slow) if (!socket.destroyed) socket.write('x')
}, 1_000)

async function churn(n: number): Promise<never> {
  for (;;) {
    const socket = await open(n, 12)
    socket?.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
for (let n = 0; n < churners; n++) void churn(n)

const counts: FloodCounts = { silent: silent.length, slow: slow.length, churning: churners, refused }
process.stdout.write(`${JSON.stringify(counts)}\n`)
