/** What is put before, into and instead of a TLS handshake, on every door. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { test, type TestContext } from 'node:test'
import type { Endpoint } from '../../src/base/config.ts'
import type { Limits } from '../../src/base/limits.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { openImapWorld } from '../transcripts/imap-world.ts'
import { openLectureWorld, testTls } from '../transcripts/pop3-world.ts'
import { Attacker, attack } from './client.ts'

type Opened = { readonly endpoint: Endpoint; close(): Promise<void> }
type Settings = { readonly implicitTls: boolean; readonly limits?: Partial<Limits> }

interface Kind {
  readonly name: string
  readonly before: string
  readonly command: string
  readonly ready: RegExp
  /** What must never be answered when it came in the clear. */
  readonly injected: string
  readonly answer: RegExp
  open(settings: Settings): Promise<Opened>
}

const kinds: readonly Kind[] = [
  {
    name: 'SMTP',
    before: 'EHLO client.example\r\n',
    command: 'STARTTLS\r\n',
    ready: /220 2\.0\.0 Ready.*\r\n/,
    injected: 'HELP\r\n',
    answer: /214/,
    open: ({ implicitTls, limits }) =>
      openSmtpDoor({ limits: limits ?? {}, door: { tls: testTls(), implicitTls } }),
  },
  {
    name: 'IMAP',
    before: '',
    command: 'a STARTTLS\r\n',
    ready: /a OK Begin.*\r\n/,
    injected: 'inj NOOP\r\n',
    answer: /inj/,
    open: ({ implicitTls, limits }) =>
      openImapWorld({ limits: limits ?? {}, door: { tls: testTls(), implicitTls } }),
  },
  {
    name: 'POP3',
    before: '',
    command: 'STLS\r\n',
    ready: /\+OK Begin.*\r\n/,
    injected: 'CAPA\r\n',
    answer: /IMPLEMENTATION/,
    async open({ implicitTls, limits }) {
      const world = await openLectureWorld({ tls: testTls(), implicitTls, limits: limits ?? {} })
      return { endpoint: world.endpoint, close: () => world[Symbol.asyncDispose]() }
    },
  },
]

async function open(t: TestContext, kind: Kind, settings: Settings): Promise<Endpoint> {
  const door = await kind.open(settings)
  t.after(() => door.close())
  return door.endpoint
}

async function secure(socket: Socket): Promise<Attacker> {
  socket.removeAllListeners('data')
  const tls = connectTls({ socket, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  return new Attacker(tls)
}

const garbage = [
  Buffer.alloc(100, 'A'),
  Buffer.alloc(5),
  Buffer.from('NOOP\r\n'),
  // A record that says it has more octets than a record may have, and an alert in place of a greeting.
  Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000, 1)]),
  Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
]

for (const kind of kinds) {
  test(`${kind.name}: what stands behind the command in the clear is never answered`, async (t) => {
    const endpoint = await open(t, kind, { implicitTls: false })
    for (const flood of [1, 10_000]) {
      const one = await attack(endpoint)
      t.after(() => one.socket.destroy())
      one.send(kind.before + kind.command + kind.injected.repeat(flood))
      // What did not come in the same piece is taken for TLS, and no handshake begins so.
      const outcome = await one.until(kind.ready).then(
        () => secure(one.socket).catch(() => null),
        () => null,
      )
      await sleep(100)
      assert.doesNotMatch(outcome?.received ?? one.received, kind.answer)
      if (flood > 1 || outcome === null) continue
      outcome.send(kind.before + kind.injected)
      await outcome.until(kind.answer)
    }
  })

  test(`${kind.name}: garbage in place of a handshake ends the connection and nothing else`, async (t) => {
    const clear = await open(t, kind, { implicitTls: false })
    const implicit = await open(t, kind, { implicitTls: true })
    for (const octets of garbage) {
      const one = await attack(clear)
      one.send(kind.before + kind.command)
      await one.until(kind.ready)
      assert.ok((await one.send(octets).rest()).length < 20)
      assert.ok((await (await attack(implicit)).send(octets).rest()).length < 20)
    }
    const good = await secure((await attack(implicit)).socket)
    await good.until(/\r\n/)
    good.socket.destroy()
  })

  test(`${kind.name}: a handshake that never ends, or drips, is not waited for`, async (t) => {
    const endpoint = await open(t, kind, { implicitTls: true, limits: { tlsHandshakeTimeoutMs: 500 } })
    const silent = await attack(endpoint)
    const slow = await attack(endpoint)
    const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), Buffer.alloc(500)])
    // Five seconds of dripping, of which it has half a one.
    for (let i = 0; i < 100 && !slow.ended; i++) {
      slow.send(hello.subarray(i, i + 1))
      await sleep(50)
    }
    assert.ok(slow.ended)
    await silent.rest()
  })

  test(`${kind.name}: connections reset before, in and after the handshake leave the door open`, async (t) => {
    const clear = await open(t, kind, { implicitTls: false })
    const implicit = await open(t, kind, { implicitTls: true })
    for (let i = 0; i < 60; i++) {
      const endpoint = i % 2 === 0 ? clear : implicit
      const socket = connect(endpoint.port, endpoint.address)
      socket.on('error', () => {})
      await once(socket, 'connect')
      if (i % 2 === 0) socket.write(kind.before + kind.command)
      else connectTls({ socket, rejectUnauthorized: false }).on('error', () => {})
      await sleep(i % 7)
      socket.resetAndDestroy()
    }
    const good = await secure((await attack(implicit)).socket)
    await good.until(/\r\n/)
    good.socket.destroy()
  })
}
