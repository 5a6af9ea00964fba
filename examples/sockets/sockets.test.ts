import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type TestContext } from 'node:test'
import { freePort } from '../../test/harness/ports.ts'
import { type RunningProcess, startProcess } from '../../test/harness/process.ts'
import { findProgram, requirePrograms } from '../../test/harness/programs.ts'

const HOST = '127.0.0.1'
const PYTHON = { debian: { python3: 'python3' } }

type Language = 'TypeScript' | 'Python'
type Program = 'udp-server' | 'udp-client' | 'tcp-server' | 'tcp-client'

function start(t: TestContext, language: Language, program: Program, port: number | string): RunningProcess {
  const name = language === 'Python' ? `python/${program.replace('-', '_')}.py` : `${program}.ts`
  const runtime = language === 'Python' ? findProgram('python3')! : process.execPath
  const env = { PYTHONIOENCODING: 'utf-8' }
  return startProcess(t, runtime, [join(import.meta.dirname, name), HOST, String(port)], { env })
}

/** Starts a server on a port of the system's choice and tells which. */
async function serve(
  t: TestContext,
  language: Language,
  program: Program,
): Promise<[RunningProcess, string]> {
  const server = start(t, language, program, 0)
  const line = await server.line(/ready to receive on .*port \d+$/)
  return [server, /\d+$/.exec(line)![0]]
}

/** What a client prints after its prompt when a line is typed. */
async function ask(client: RunningProcess, sentence: string): Promise<string> {
  client.write(`${sentence}\n`)
  client.endInput()
  const { code } = await client.ended
  assert.equal(code, 0, client.stderr)
  assert.match(client.stdout, /^Input lowercase sentence:/)
  return client.stdout.replace(/^Input lowercase sentence: ?/, '').trim()
}

const pairs: [Language, Language][] = [
  ['TypeScript', 'TypeScript'],
  ['TypeScript', 'Python'],
  ['Python', 'TypeScript'],
]

for (const [clientLanguage, serverLanguage] of pairs) {
  for (const [row, kind] of [
    ['L14', 'udp'],
    ['L15', 'tcp'],
  ] as const) {
    const title = `${row}: a ${clientLanguage} ${kind.toUpperCase()} client gets its line in upper case from a ${serverLanguage} server`
    test(title, async (t) => {
      if (!(await requirePrograms(PYTHON, t))) return
      const [, port] = await serve(t, serverLanguage, `${kind}-server`)
      for (const [sentence, answer] of [
        ['hello from crepes', 'HELLO FROM CREPES'],
        ['grüße, ça va? ελλάδα', 'GRÜSSE, ÇA VA? ΕΛΛΆΔΑ'],
      ] as const) {
        const client = start(t, clientLanguage, `${kind}-client`, port)
        const printed = await ask(client, sentence)
        assert.equal(kind === 'tcp' ? printed.replace(/^From server: /i, '') : printed, answer)
      }
    })
  }
}

test('L14: the UDP server answers to the address and port each datagram came from', async (t) => {
  const [, port] = await serve(t, 'TypeScript', 'udp-server')
  const clients = ['one', 'two'].map((word) => ({ word, socket: createSocket('udp4') }))
  for (const { word, socket } of clients) socket.send(word, Number(port), HOST)
  for (const { word, socket } of clients) {
    const [datagram] = (await once(socket, 'message')) as [Buffer]
    assert.equal(datagram.toString(), word.toUpperCase())
    socket.close()
  }
})

test('L14: when a datagram is lost the client says that it waited in vain and that UDP does not say why', async (t) => {
  // Somebody is there and swallows what arrives, as a network may.
  const hole = createSocket('udp4').bind(0, HOST)
  t.after(() => void hole.close())
  await once(hole, 'listening')
  const client = start(t, 'TypeScript', 'udp-client', hole.address().port)
  client.write('hello\n')
  const { code } = await client.ended
  assert.equal(code, 1)
  assert.match(client.stderr, /No answer from .* within 2 seconds\. UDP does not say why/)
})

test('L15: two TCP clients are connected at once and are told apart by their source ports', async (t) => {
  const [server, port] = await serve(t, 'TypeScript', 'tcp-server')
  const first = start(t, 'TypeScript', 'tcp-client', port)
  await server.line(/connected$/)
  const second = start(t, 'TypeScript', 'tcp-client', port)
  while (server.stdout.match(/connected$/gm)?.length !== 2) await sleep(20)
  // The later one is served first: neither waits for the other.
  assert.equal(await ask(second, 'second'), 'From server: SECOND')
  assert.equal(await ask(first, 'first'), 'From server: FIRST')
  const sourcePorts = [...server.stdout.matchAll(/:(\d+) connected$/gm)].map((match) => match[1])
  assert.equal(new Set(sourcePorts).size, 2)
})

test('L15: a line that arrives octet by octet is one line', async (t) => {
  const [, port] = await serve(t, 'TypeScript', 'tcp-server')
  const connection = connect(Number(port), HOST)
  connection.setNoDelay(true)
  for (const octet of Buffer.from('çà et là\n')) {
    connection.write(Uint8Array.of(octet))
    await sleep(1)
  }
  const pieces: Buffer[] = []
  for await (const piece of connection) pieces.push(piece as Buffer)
  assert.equal(Buffer.concat(pieces).toString(), 'ÇÀ ET LÀ\n')
})

test('L15: a TCP client hears at once that nobody listens', async (t) => {
  const client = start(t, 'TypeScript', 'tcp-client', await freePort())
  const { code } = await client.ended
  assert.equal(code, 1)
  assert.match(client.stderr, /ECONNREFUSED/)
})
