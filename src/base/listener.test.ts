import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type Door, listen } from './listener.ts'

test('one door listens on one port of both families', async (t) => {
  const door: Door = {
    serve: (peer, done) => {
      peer.handle({ data() {}, end() {}, idle() {}, close: done })
      peer.write('220\r\n')
      peer.destroy()
    },
    drain() {},
    busyGreeting: '',
  }
  const bounds = { connections: 10, connectionsPerAddress: 10, trusted: [] }
  const free = await listen(door, [{ address: '127.0.0.1', port: 0 }], bounds)
  const { port } = free.endpoints[0]!
  await free.close(0)
  const both = [
    { address: '0.0.0.0', port },
    { address: '::', port },
  ]
  let listener: Awaited<ReturnType<typeof listen>>
  try {
    listener = await listen(door, both, bounds)
  } catch (error) {
    if (!/EAFNOSUPPORT|EADDRNOTAVAIL/.test(String(error))) throw error
    t.skip('this machine has no IPv6')
    return
  }
  for (const host of ['127.0.0.1', '::1']) await once(connect({ host, port }), 'connect')
  await listener.close(0)
})
