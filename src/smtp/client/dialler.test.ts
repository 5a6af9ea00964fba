import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { FakeClock, systemClock } from '../../base/clock.ts'
import { isPrivateAddress } from './private-address.ts'
import { createDialler, loopbackDialler } from './dialler.ts'

async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

test('a connection is opened to an address, from the address that was chosen', () =>
  withServer(async (port) => {
    const dial = createDialler({ localAddress: '127.0.0.3', clock: systemClock })
    const socket = await dial({ hostname: 'mx.example', address: '127.0.0.1', port }, 5_000)
    assert.equal(socket.localAddress, '127.0.0.3')
    socket.destroy()
    await assert.rejects(dial({ hostname: 'mx.example', address: '::1', port }, 5_000), {
      code: 'EAFNOSUPPORT',
    })
  }))

test('names are never dialled', async () => {
  const dial = createDialler({ localAddress: null, clock: systemClock })
  for (const address of ['localhost', 'mx.example', '', '127.0.0.1.example']) {
    await assert.rejects(dial({ hostname: 'mx.example', address, port: 25 }, 5_000), /not an address/)
  }
})

test('a refused connection and one that takes too long say so', async () => {
  const dial = createDialler({ localAddress: null, clock: systemClock })
  await assert.rejects(dial({ hostname: 'mx.example', address: '127.0.0.1', port: 9 }, 5_000), {
    code: 'ECONNREFUSED',
  })
  const clock = new FakeClock()
  const late = createDialler({ localAddress: null, clock })(
    { hostname: 'x', address: '127.0.0.1', port: 9 },
    1_000,
  )
  clock.advance(1_000)
  await assert.rejects(late, { code: 'ETIMEDOUT' })
})

test('the Lab reaches loopback only, and translates ports by host name', () =>
  withServer(async (port) => {
    const map = new Map([
      ['mx.hamburger.example:25', { address: '127.0.0.1', port }],
      ['mx.evil.example:25', { address: '192.0.2.1', port }],
    ])
    const dial = loopbackDialler(map, systemClock)
    const socket = await dial({ hostname: 'MX.hamburger.example', address: '203.0.113.1', port: 25 }, 5_000)
    assert.equal(socket.remotePort, port)
    socket.destroy()
    const direct = await dial({ hostname: 'x.example', address: '127.0.0.1', port }, 5_000)
    direct.destroy()
    for (const address of [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '0.0.0.0',
      '10.0.0.1',
      'localhost',
      '127.0.0.1.example',
    ]) {
      await assert.rejects(
        dial({ hostname: 'x.example', address, port: 2525 }, 5_000),
        /reaches loopback only/,
        address,
      )
    }
    await assert.rejects(
      dial({ hostname: 'mx.evil.example', address: '127.0.0.1', port: 25 }, 5_000),
      /loopback only/,
    )
    await assert.rejects(
      dial({ hostname: 'x.example', address: '127.0.0.1', port: 25 }, 5_000),
      /no such server/,
    )
  }))

test('a server of our own network is not dialled unless a route leads there', () =>
  withServer(async (port) => {
    const route = { address: '127.0.0.1', port }
    const dial = createDialler({
      ...{ localAddress: null, clock: systemClock },
      refusePrivate: { except: () => [route] },
    })
    const socket = await dial({ hostname: '127.0.0.1', ...route }, 5_000)
    socket.destroy()
    for (const target of [
      { address: '127.0.0.1', port: 25 },
      { address: '::ffff:127.0.0.1', port },
      { address: '192.168.1.1', port: 25 },
      { address: 'fe80::1%lo', port: 25 },
    ]) {
      await assert.rejects(dial({ hostname: 'mx.example', ...target }, 5_000), { code: 'EACCES' })
    }
  }))

test('addresses that are no public server are known as such', () => {
  const inside = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.9.9.9',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.0.1',
  ]
  const inside6 = [
    '::',
    '::1',
    '::7f00:1',
    '::ffff:10.0.0.1',
    'fd00::1',
    'fe80::1',
    'ff02::1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ]
  for (const address of [...inside, ...inside6, '224.0.0.1', '255.255.255.255']) {
    assert.equal(isPrivateAddress(address), true, address)
  }
  for (const address of [
    '192.0.2.1',
    '172.32.0.1',
    '100.128.0.1',
    '2001:db8::1',
    '2606:4700::1',
    '::ffff:8.8.8.8',
  ]) {
    assert.equal(isPrivateAddress(address), false, address)
  }
})
