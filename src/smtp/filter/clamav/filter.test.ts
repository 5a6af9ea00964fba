import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { ClamavConfig } from '../../../base/filter-config.ts'
import { openSession, sendMessage, testClient, testSurroundings } from '../filter-fixture.ts'
import { createClamavFilter } from './filter.ts'
import { readScanAnswer, ScanFault } from './scan.ts'

interface ScriptedClamd {
  /** Octets of each stream that came whole. */
  readonly streams: string[]
  readonly pieces: number[]
  connections(): number
}

/** @param answer To a whole stream; null: closes instead. */
async function begin(t: TestContext, answer: string | null, changes: Partial<ClamavConfig> = {}) {
  const sockets = new Set<Socket>()
  const clamd = { streams: [] as string[], pieces: [] as number[], connections: () => sockets.size }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    serve(socket, clamd, answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const config: ClamavConfig = {
    name: 'clamav',
    doors: ['smtp'],
    place: { kind: 'inet', host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    onFailure: 'tempfail',
    connectTimeoutMs: 5_000,
    timeoutMs: 5_000,
    maxOctets: 1_000_000,
    onFound: 'refuse',
    tooLarge: 'accept',
    ...changes,
  }
  const client = testClient()
  const session = openSession(createClamavFilter(config, testSurroundings()), client)
  return { clamd, client, session }
}

function serve(socket: Socket, clamd: ScriptedClamd, answer: string | null): void {
  let buffer: Buffer = Buffer.alloc(0)
  let stream: string | null = null
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    if (stream === null) {
      if (buffer.length < 10) return
      assert.equal(buffer.toString('latin1', 0, 10), 'zINSTREAM\0')
      buffer = buffer.subarray(10)
      stream = ''
    }
    while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
      const length = buffer.readUInt32BE(0)
      if (length === 0) {
        clamd.streams.push(stream)
        if (answer === null) socket.destroy()
        else socket.end(answer)
        return
      }
      clamd.pieces.push(length)
      stream += buffer.toString('latin1', 4, 4 + length)
      buffer = buffer.subarray(4 + length)
    }
  })
}

const letter = 'Subject: hello\r\n\r\nHi Bob\r\n'

test('a clean letter passes, two of them in one session', async (t) => {
  const { clamd, client, session } = await begin(t, 'stream: OK\0')
  assert.deepEqual(await sendMessage(session, letter, 5), {})
  session.reset!()
  assert.deepEqual(await sendMessage(session, letter), {})
  assert.deepEqual(clamd.streams, [letter, letter])
  assert.equal(client.events[0]?.['answer'], 'clean')
})

test('a virus is refused with its name, or makes the letter junk', async (t) => {
  const strict = await begin(t, 'stream: Eicar-Test FOUND\0')
  const { refusal } = await sendMessage(strict.session, letter)
  assert.deepEqual(refusal?.reply, { code: 554, status: '5.7.1', lines: ['Message holds Eicar-Test'] })
  assert.equal(strict.client.events[0]?.['virus'], 'Eicar-Test')
  const lax = await begin(t, 'stream: Eicar-Test FOUND\0', { onFound: 'junk' })
  assert.deepEqual(await sendMessage(lax.session, letter), { junk: 'Message holds Eicar-Test' })
})

test('a large letter goes out in pieces of 64 KB while it arrives', async (t) => {
  const { clamd, session } = await begin(t, 'stream: OK\0')
  const long = letter + `${'x'.repeat(98)}\r\n`.repeat(4_000)
  assert.deepEqual(await sendMessage(session, long, 32_768), {})
  assert.deepEqual(clamd.streams, [long])
  assert.deepEqual(clamd.pieces.slice(0, -1), new Array(6).fill(65_536))
})

test('what is too large, for us or for clamd, is not checked or refused', async (t) => {
  for (const [answer, maxOctets] of [
    ['stream: OK\0', 10],
    ['INSTREAM size limit exceeded. ERROR\0', 1_000],
  ] as const) {
    const lax = await begin(t, answer, { maxOctets })
    assert.deepEqual(await sendMessage(lax.session, letter), {})
    assert.equal(lax.client.events[0]?.['answer'], 'too-large')
    const strict = await begin(t, answer, { maxOctets, tooLarge: 'refuse' })
    assert.equal((await sendMessage(strict.session, letter)).refusal?.reply.code, 552)
  }
})

test('a clamd that fails, closes or does not answer: 451, or none of its business', async (t) => {
  for (const answer of ['stream: broken ERROR\0', null, '', 'x'.repeat(5_000)]) {
    const strict = await begin(t, answer, { timeoutMs: 50 })
    assert.equal((await sendMessage(strict.session, letter)).refusal?.reply.code, 451)
    const lax = await begin(t, answer, { timeoutMs: 50, onFailure: 'accept' })
    assert.deepEqual(await sendMessage(lax.session, letter), {})
    assert.equal(lax.client.events[0]?.['answer'], 'failed')
  }
})

test('a letter given up in the middle leaves no scan behind', async (t) => {
  const { clamd, session } = await begin(t, 'stream: OK\0')
  await session.octets!(Buffer.alloc(70_000, 0x61))
  session.reset!()
  while (clamd.connections() > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(clamd.streams, [])
  assert.deepEqual(await sendMessage(session, letter), {})
  assert.deepEqual(clamd.streams, [letter])
})

test('any line of clamd is an answer or a fault', () => {
  assert.deepEqual(readScanAnswer('stream: A B FOUND'), { kind: 'found', name: 'A_B' })
  const property = fc.property(fc.string({ maxLength: 150 }), (text) => {
    try {
      const answer = readScanAnswer(`stream: ${text} FOUND`)
      assert.ok(answer.kind === 'found' && /^[\x21-\x7e]{1,100}$/.test(answer.name))
    } catch (error) {
      assert.ok(error instanceof ScanFault)
    }
  })
  fc.assert(property)
})
