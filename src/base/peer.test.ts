import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { freePlace } from './connection-gate.ts'
import { Peer } from './peer.ts'

const terms = { context: createSecureContext(), contextFor: null, protocol: null, identify: null }

/** One connection, as the server and as the client see it. */
async function meet(t: TestContext) {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  const [socket] = await once(server, 'connection')
  t.after(() => {
    client.destroy()
    server.close()
  })
  return { client, socket }
}

test('a handshake whose client says nothing, or drips, ends after its time', async (t) => {
  for (const octets of ['', '\x16\x03\x01']) {
    const { client, socket } = await meet(t)
    const peer = new Peer(socket)
    client.write(octets, 'latin1')
    await assert.rejects(peer.startTls(terms, 50), /took too long/)
    assert.equal(peer.closed, true)
  }
})

test('a client that leaves before the handshake ends it', async (t) => {
  const { client, socket } = await meet(t)
  const peer = new Peer(socket)
  const handshake = peer.startTls(terms, 60_000)
  client.end()
  await assert.rejects(handshake, /closed during/)
})

test('handshakes that came together wait for a turn each', async (t) => {
  const place = freePlace()
  let waiting: (() => void)[] = []
  place.handshakes.run = (work) => void waiting.push(work)
  const both = [await meet(t), await meet(t)]
  const handshakes = both.map(({ client, socket }) => {
    const handshake = new Peer(socket, place).startTls(terms, 60_000)
    client.write('this is no TLS\r\n')
    return handshake.then(
      () => 'done',
      (error: Error) => error.message,
    )
  })
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
  const [first, second] = waiting
  waiting = []
  first!()
  assert.match(await handshakes[0]!, /wrong version|wrong_version|http request|packet/i)
  second!()
  assert.match(await handshakes[1]!, /wrong version|wrong_version|http request|packet/i)
})

/** All that comes until the end. */
async function received(client: Socket): Promise<number> {
  let octets = 0
  for await (const chunk of client) octets += (chunk as Buffer).length
  return octets
}

test('who has taken leave is not waited for, and misses nothing', async (t) => {
  const { client, socket } = await meet(t)
  const peer = new Peer(socket)
  peer.gather('221 mx.example closing connection\r\n')
  peer.leave()
  assert.equal(peer.closed, true)
  assert.equal(await received(client), 35)
})

test('who takes leave and reads slowly gets all that was written before', async (t) => {
  const { client, socket } = await meet(t)
  const peer = new Peer(socket)
  peer.gather(Buffer.alloc(20_000_000))
  peer.leave()
  assert.equal(peer.closed, false)
  assert.equal(await received(client), 20_000_000)
})
