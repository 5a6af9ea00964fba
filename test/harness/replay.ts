/**
 * Plays a conversation written as the RFCs write it against a server on loopback.
 *
 * `C:` lines are sent with CRLF, several in a row in one write; `S:` lines must come exactly so, in this order. In an S:
 * line `<…>` with an ellipsis stands for anything, and `S: (…)` for a whole reply, however many lines it has. `C-raw:` sends a JSON string as it is, without CRLF. `S: (closed)`
 * waits for the server to close; `C: (close)` sends FIN.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../src/base/config.ts'

export interface Speaker {
  expect(line: string): Promise<void>
  /** The next line, whatever it is. */
  line(): Promise<string>
  expectClosed(): Promise<void>
  send(octets: string): void
  close(): void
  readonly socket: Socket
}

const waitMs = 5_000

export async function speakTo(endpoint: Endpoint): Promise<Speaker> {
  const socket = connect({ host: endpoint.address, port: endpoint.port })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return speakOver(socket)
}

/** @param socket Connected; a TLS socket has shaken hands. */
export function speakOver(socket: Socket): Speaker {
  let buffer = ''
  let ended = false
  let wake: () => void = () => {}
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1')
    wake()
  })
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true
      wake()
    })
  }
  const until = async (ready: () => boolean, what: string): Promise<void> => {
    const deadline = Date.now() + waitMs
    while (!ready()) {
      const left = deadline - Date.now()
      if (left <= 0) assert.fail(`${what}; received so far: ${JSON.stringify(buffer)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  const next = async (expected: string): Promise<string> => {
    await until(() => buffer.includes('\r\n') || ended, `waited for "${expected}"`)
    const end = buffer.indexOf('\r\n')
    assert.ok(end >= 0, `the server closed instead of saying "${expected}"; left: ${JSON.stringify(buffer)}`)
    const line = buffer.slice(0, end)
    buffer = buffer.slice(end + 2)
    return line
  }
  return {
    socket,
    async expect(expected) {
      const line = await next(expected)
      if (!matches(line, expected)) assert.equal(line, expected)
    },
    line: () => next('a line'),
    async expectClosed() {
      await until(() => ended, 'waited for the server to close')
      assert.equal(buffer, '')
    },
    send: (octets) => void socket.write(octets, 'latin1'),
    close: () => void socket.end(),
  }
}

function matches(line: string, expected: string): boolean {
  if (!expected.includes('<…>')) return line === expected
  const pattern = expected.split('<…>').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`, 's').test(line)
}

/** Plays the whole transcript on one connection, then destroys it. */
export async function replay(endpoint: Endpoint | Socket, transcript: string): Promise<void> {
  const speaker = 'address' in endpoint && 'port' in endpoint ? await speakTo(endpoint) : speakOver(endpoint)
  try {
    let pending = ''
    for (const written of transcript.split('\n')) {
      const line = written.trim()
      if (line === '') continue
      const found = /^(C|S|C-raw):(?: (.*))?$/s.exec(line)
      assert.ok(found, `not a line of a transcript: ${line}`)
      const text = found[2] ?? ''
      if (found[1] === 'S' && pending !== '') {
        speaker.send(pending)
        pending = ''
      }
      if (found[1] === 'C-raw') pending += JSON.parse(text) as string
      else if (found[1] === 'C' && text === '(close)') {
        speaker.send(pending)
        pending = ''
        speaker.close()
      } else if (found[1] === 'C') pending += `${text}\r\n`
      else if (text === '(closed)') await speaker.expectClosed()
      else if (text === '(…)') while (/^\d{3}-/.test(await speaker.line()));
      else await speaker.expect(text)
    }
    if (pending !== '') speaker.send(pending)
  } finally {
    speaker.socket.destroy()
  }
}
