/** Connections that do not end, clients that do not read, clients that ask faster than is fair. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { type Door, listen } from '../../src/base/listener.ts'
import type { Peer } from '../../src/base/peer.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { openImapWorld } from '../transcripts/imap-world.ts'
import { openLectureWorld } from '../transcripts/pop3-world.ts'
import { askWithoutReading, attack, drip } from './client.ts'

/** More than the system's buffers take on loopback, and much less than would be taken without a bound. */
const unreadMax = 24_000_000

async function openDoor(t: TestContext, door: Partial<Door>, connectionsPerAddress = 100) {
  const idle: Door = { serve() {}, drain() {}, busyGreeting: '421 Too many\r\n' }
  const listener = await listen({ ...idle, ...door }, [{ address: '127.0.0.1', port: 0 }], {
    connections: 100,
    connectionsPerAddress,
    trusted: [],
  })
  t.after(() => listener.close(0))
  return listener.endpoints[0]!
}

test('A connection over the limit does not last because its client goes on sending', async (t) => {
  const endpoint = await openDoor(t, {}, 0)
  const one = await attack(endpoint, true)
  const lasted = await drip(one, 4_000)
  assert.match(one.received, /^421 Too many/)
  assert.ok(lasted < 3_000, `lasted ${lasted} ms`)
})

test('Of many connections over the limit a bounded number is kept to be told so', async (t) => {
  const endpoint = await openDoor(t, {}, 0)
  const many = await Promise.all(Array.from({ length: 260 }, () => attack(endpoint, true)))
  t.after(() => {
    for (const { socket } of many) socket.destroy()
  })
  const told = () => many.filter(({ received }) => received.startsWith('421')).length
  const turnedAway = () => many.filter(({ received, ended }) => received === '' && ended).length
  const deadline = Date.now() + 10_000
  while (told() + turnedAway() < many.length && Date.now() < deadline) await sleep(20)
  assert.equal(told(), 200)
  assert.equal(turnedAway(), 60)
})

test('After our FIN a client that goes on sending is cut off', async (t) => {
  const endpoint = await openDoor(t, {
    serve(peer, done) {
      peer.handle({ data() {}, end() {}, idle() {}, close: done })
      peer.write('bye\r\n')
      peer.end(300)
      peer.write('not any more\r\n')
    },
  })
  const one = await attack(endpoint, true)
  const lasted = await drip(one, 3_000)
  assert.equal(one.received, 'bye\r\n')
  assert.ok(lasted < 2_000, `lasted ${lasted} ms`)
})

test('What is waiting is not cut off while a slow client takes it', async (t) => {
  const octets = 12_000_000
  const endpoint = await openDoor(t, {
    serve(peer: Peer, done) {
      peer.handle({ data() {}, end: () => peer.destroy(), idle: () => peer.destroy(), close: done })
      peer.write(Buffer.alloc(octets))
      peer.end(600)
    },
  })
  const one = await attack(endpoint)
  while (!one.ended) {
    one.socket.pause()
    await sleep(100)
    one.socket.resume()
    await sleep(5)
  }
  assert.equal(one.octets, octets)
})

test('SMTP: a client that asks and never reads is not asked for more', async (t) => {
  const door = await openSmtpDoor({ limits: { idleCommands: 1e9 } })
  t.after(() => door.close())
  const one = await attack(door.endpoint)
  t.after(() => one.socket.destroy())
  assert.ok((await askWithoutReading(one, 'HELP\r\n', unreadMax)) < unreadMax)
})

test('SMTP: a client that takes no reply within the time is cut off', async (t) => {
  const door = await openSmtpDoor({ limits: { smtpCommandTimeoutMs: 800, idleCommands: 1e9 } })
  t.after(() => door.close())
  const one = await attack(door.endpoint)
  await askWithoutReading(one, 'HELP\r\n', unreadMax)
  // A reset closes it although it does not read; on a slow machine all may have been taken, and FIN is seen by reading.
  for (let i = 0; i < 60 && !one.closed; i++) await sleep(50)
  one.socket.resume()
  await one.rest(60_000)
})

test('IMAP: a client that asks and never reads is not asked for more, and before log-in not for long', async (t) => {
  const world = await openImapWorld()
  t.after(() => world.close())
  const one = await attack(world.endpoint)
  assert.ok((await askWithoutReading(one, 'a CAPABILITY\r\n', unreadMax)) < unreadMax)
  world.clock.advance(61_000)
  one.socket.resume()
  await one.rest()
})

test('POP3: a client that asks and never reads is not asked for more', async (t) => {
  const world = await openLectureWorld()
  t.after(() => world[Symbol.asyncDispose]())
  const one = await attack(world.endpoint)
  t.after(() => one.socket.destroy())
  assert.ok((await askWithoutReading(one, 'CAPA\r\n', unreadMax)) < unreadMax)
})

const floods = [
  {
    name: 'SMTP',
    line: 'NOOP\r\n',
    reply: 14,
    open: () => openSmtpDoor({ limits: { idleCommands: 1e9 } }),
    asked: 'NOOP\r\n',
    answer: /250 .*\r\n/,
  },
  {
    name: 'IMAP',
    line: 'a NOOP\r\n',
    reply: 19,
    open: openImapWorld,
    asked: 'b NOOP\r\n',
    answer: /b OK.*\r\n/,
  },
]
for (const { name, line, reply, open, asked, answer } of floods) {
  test(`${name}: 10,000 pipelined commands are all answered, and others have their turn in between`, async (t) => {
    const world = await open()
    t.after(() => world.close())
    const flooder = await attack(world.endpoint)
    const other = await attack(world.endpoint)
    for (const one of [flooder, other]) await one.until(/\r\n/)
    const greeted = flooder.octets
    flooder.send(line.repeat(10_000))
    other.send(asked)
    await other.until(answer)
    const before = (flooder.octets - greeted) / reply
    assert.ok(before < 8_000, `${before} commands were answered first`)
    while (flooder.octets < greeted + 10_000 * reply) await sleep(20)
    for (const one of [flooder, other]) one.socket.destroy()
  })
}
