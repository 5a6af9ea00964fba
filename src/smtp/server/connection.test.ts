/** How long a client may take: the test moves the clock, and is itself the socket. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { defaultLimits } from '../../base/limits.ts'
import { silentLog } from '../../base/log.ts'
import type { Peer, PeerHandlers } from '../../base/peer.ts'
import { systemRandom } from '../../base/random.ts'
import { noJourneys } from '../../journey/event.ts'
import { Connection } from './connection.ts'
import type { SmtpDoorOptions } from './options.ts'

const minute = 60_000

class Client {
  readonly clock = new FakeClock()
  said = ''
  closed = false
  /** The server did not wait for the client's end. */
  left = false
  #handlers: PeerHandlers | null = null

  constructor() {
    const names = { remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '192.0.2.2', localPort: 25 }
    let gathered = ''
    const peer = {
      ...names,
      waitingOctets: 0,
      handle: (handlers: PeerHandlers) => (this.#handlers = handlers),
      setIdleTimeout() {},
      resume() {},
      gather: (text: string) => void (gathered += text),
      flush: () => {
        this.said += gathered
        gathered = ''
      },
      leave: () => {
        this.left = true
        peer.end()
      },
      end: () => {
        peer.flush()
        this.closed = true
      },
    }
    const sink = { write() {}, abort() {} }
    const store = {
      openBody: () => sink,
      resolveAddress: async () => ({
        kind: 'account',
        account: { accountId: 1, quotaOctets: null, quotaMessages: null },
      }),
    }
    const options = {
      ...{ role: 'mx', implicitTls: false, hostname: 'mx.example', tls: null, plaintext: 'never' },
      ...{
        filters: [],
        signer: null,
        trusted: [],
        proxies: [],
        xclient: [],
        journeys: noJourneys,
        journeyLevel: 'off',
      },
      limits: { ...defaultLimits, smtpBlockOctets: 1_000 },
      clock: this.clock,
      random: systemRandom,
      log: silentLog,
      store,
    }
    void new Connection(peer as unknown as Peer, options as unknown as SmtpDoorOptions, () => {}).start()
  }

  /** Each text comes by itself, all of them in one turn, as TLS hands on its records. */
  async says(...texts: string[]): Promise<void> {
    for (const text of texts) this.#handlers?.data(Buffer.from(text, 'latin1'))
    await this.settled()
  }

  /** Everything that is waiting has been worked through. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  get lastReply(): string {
    return this.said.trimEnd().split('\r\n').at(-1) ?? ''
  }
}

async function client(text = ''): Promise<Client> {
  const made = new Client()
  await made.settled()
  await made.says(text)
  return made
}

const timedOut = '421 4.4.2 mx.example Timeout, closing connection'

test('a command must be whole five minutes after its first octet, however its octets are spread', async () => {
  const slow = await client('EHLO x.example\r\n')
  for (const octet of ['N', 'O', 'O', 'P']) {
    await slow.says(octet)
    slow.clock.advance(minute)
  }
  assert.ok(!slow.closed)
  slow.clock.advance(minute - 1)
  assert.ok(!slow.closed)
  slow.clock.advance(1)
  assert.ok(slow.closed)
  assert.equal(slow.lastReply, timedOut)
})

test('a client that says nothing is told so after five minutes, whatever it has said before', async () => {
  for (const said of ['', 'EHLO x.example\r\n', 'NOOP\r\nNOOP\r\n', `${'x'.repeat(5_000)}\r\n`]) {
    const silent = await client(said)
    silent.clock.advance(5 * minute - 1)
    assert.ok(!silent.closed)
    silent.clock.advance(1)
    assert.ok(silent.closed)
    assert.equal(silent.lastReply, timedOut)
  }
})

test('a command may begin after four minutes of silence and take as long', async () => {
  const slow = await client('EHLO x.example\r\n')
  slow.clock.advance(4 * minute)
  await slow.says('NO')
  slow.clock.advance(4 * minute)
  await slow.says('OP\r\n')
  assert.equal(slow.lastReply, '250 2.0.0 Ok')
})

test('the time begins anew with each command, and an overlong line has no more of it', async () => {
  const slow = await client('HELO x.example\r\n')
  for (let round = 0; round < 20; round++) {
    await slow.says('NO')
    slow.clock.advance(4 * minute)
    await slow.says('OP\r\n')
    assert.equal(slow.lastReply, '250 2.0.0 Ok')
  }
  for (let round = 0; round < 5; round++) {
    assert.ok(!slow.closed)
    await slow.says('x'.repeat(5_000))
    slow.clock.advance(minute)
  }
  assert.equal(slow.lastReply, timedOut)
})

test('a message must bring its block of octets every five minutes', async () => {
  const slow = await client('HELO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n')
  assert.match(slow.lastReply, /^354 /)
  for (let round = 0; round < 20; round++) {
    await slow.says('x'.repeat(600))
    slow.clock.advance(2 * minute)
    await slow.says('y'.repeat(400))
    slow.clock.advance(2 * minute)
  }
  assert.ok(!slow.closed)
  await slow.says('z'.repeat(999))
  slow.clock.advance(minute)
  await slow.says('z')
  slow.clock.advance(4 * minute)
  assert.ok(!slow.closed)
  slow.clock.advance(minute)
  assert.ok(slow.closed)
  assert.equal(slow.lastReply, timedOut)
})

test('a chunk must bring its octets in time as well, taken or not', async () => {
  const envelope = 'EHLO x.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@x.example>\r\n'
  for (const before of [envelope, 'EHLO x.example\r\n']) {
    const slow = await client(`${before}BDAT 100000 LAST\r\n`)
    await slow.says('x'.repeat(1_500))
    slow.clock.advance(4 * minute)
    await slow.says('x'.repeat(999))
    slow.clock.advance(minute - 1)
    assert.ok(!slow.closed)
    slow.clock.advance(1)
    assert.equal(slow.lastReply, timedOut)
  }
})

test('the end of a message that comes in the same turn as what is before it is answered', async () => {
  const commands = 'MAIL FROM:<a@x.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n'
  const sender = await client(`EHLO x.example\r\n${commands}`)
  assert.match(sender.lastReply, /^354 /)
  await sender.says('Subject: x\r\n\r\n', 'Hello\r\n.\r\n')
  // This store keeps nothing.
  assert.match(sender.lastReply, /^451 /)
  await sender.says(commands)
  await sender.says('Subject: x\r\n\r\n', 'Hello\r\n', '.\r', '\n')
  assert.match(sender.lastReply, /^451 /)
})

test('who says QUIT is not waited for, unless more has come behind it', async () => {
  const polite = await client('EHLO x.example\r\nQUIT\r\n')
  const hasty = await client('EHLO x.example\r\nQUIT\r\nNOOP\r\n')
  for (const one of [polite, hasty]) {
    assert.equal(one.lastReply, '221 2.0.0 mx.example closing connection')
    assert.ok(one.closed)
  }
  assert.deepEqual([polite.left, hasty.left], [true, false])
})
