/** Servers that mean harm, or are broken as if they did. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Clock, FakeClock, systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { Recorder } from '../../journey/recorder.ts'
import { openSmtpClient, type SmtpClient } from './client.ts'
import { createDialler } from './dialler.ts'
import { SmtpFailure } from './failure.ts'
import type { OutgoingMessage } from './message.ts'

async function against<T>(
  serve: (socket: Socket) => void,
  use: (client: SmtpClient) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  try {
    const client = await openSmtpClient({
      target: { hostname: 'mx.hamburger.example', address, port },
      dialler: createDialler({ localAddress: null, clock: systemClock }),
      clock,
      log: silentLog,
      ehloName: 'crepes.example',
      tls: { mode: 'none', ca: [] },
      dialect: 'esmtp',
      recorder: new Recorder(clock),
    })
    try {
      return await use(client)
    } finally {
      client.destroy()
    }
  } finally {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

function letter(octets: number, recipients = 1): OutgoingMessage {
  const line = Buffer.from(`${'x'.repeat(1_022)}\r\n`)
  const block = Buffer.concat(Array.from({ length: 64 }, () => line))
  return {
    reversePath: 'alice@crepes.example',
    recipients: Array.from({ length: recipients }, (_, i) => ({
      forwardPath: `bob${i}@hamburger.example`,
      orcpt: null,
      notify: null,
    })),
    octets,
    eightBit: false,
    smtpUtf8: false,
    prefix: '',
    body: async (offset, length) => block.subarray(0, Math.min(length, octets - offset)),
    envid: null,
    ret: null,
  }
}

/** Answers line by line; `onLine` returns what to say. */
function lines(socket: Socket, onLine: (line: string) => string): void {
  let buffer = ''
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1')
    for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
      const said = onLine(buffer.slice(0, end))
      buffer = buffer.slice(end + 2)
      if (said !== '') socket.write(said, 'latin1')
    }
  })
}

const kinds = (result: { recipients: ReadonlyMap<string, { kind: string }> }): string[] => [
  ...new Set([...result.recipients.values()].map((outcome) => outcome.kind)),
]

const floods: [title: string, flood: string][] = [
  ['a line without end', 'x'.repeat(10_000)],
  ['a reply without end', '220-hello\r\n'.repeat(1_000)],
  ['replies without end', '220 hello\r\n'.repeat(1_000)],
  ['NUL octets', '\0'.repeat(10_000)],
]
for (const [title, flood] of floods) {
  test(`${title} as a greeting is soon given up`, async () => {
    let sent = 0
    const serve = (socket: Socket): void => {
      const more = (): void => {
        while (!socket.destroyed && sent < 50_000_000) {
          sent += flood.length
          if (!socket.write(flood)) break
        }
        if (!socket.destroyed) socket.once('drain', more)
      }
      more()
    }
    const attempt = against(serve, async (client) => {
      const result = await client.send(letter(10))
      assert.deepEqual(kinds(result), ['temporary'])
      throw new SmtpFailure('', {
        stage: 'mail',
        kind: 'temporary',
        reason: 'protocol',
        reply: null,
        status: '4.5.0',
      })
    })
    await assert.rejects(attempt, { name: 'SmtpFailure', kind: 'temporary', reason: 'protocol' })
    assert(sent < 40_000_000, `${sent} octets were taken`)
  })
}

test('line ends and control chars in an EHLO reply reach neither extensions nor the texts', async () => {
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      lines(socket, (line) =>
        line.startsWith('EHLO')
          ? '250-mx\r\n250-SIZE 10\rMAIL\r\n250-X\0Y\r\n250-a b\x1b[2J\r\n250 \xff\r\n'
          : '550 a\rb\x1bc\r\n',
      )
    },
    async (client) => {
      assert.deepEqual(
        [...client.extensions],
        [
          ['SIZE', '10?MAIL'],
          ['A', 'b?[2J'],
        ],
      )
      const result = await client.send(letter(10))
      assert.equal(result.recipients.get('bob0@hamburger.example')!.text, '550 a?b?c')
    },
  )
})

test('each wait has its time-out, and a transaction has one of its own', async () => {
  const waits: [until: string, ms: number, stage: string][] = [
    ['MAIL', 300_000, 'mail'],
    ['RCPT', 300_000, 'rcpt'],
    ['DATA', 120_000, 'data'],
    ['.', 600_000, 'end-of-data'],
  ]
  for (const [until, ms, stage] of waits) {
    const clock = new FakeClock()
    await against(
      (socket) => {
        socket.write('220 mx\r\n')
        lines(socket, (line) => {
          if (line.startsWith(until)) {
            setTimeout(() => clock.advance(ms - 1), 10)
            setTimeout(() => clock.advance(1), 20)
            return ''
          }
          return line === 'DATA' ? '354 go\r\n' : line.startsWith('x') ? '' : '250 ok\r\n'
        })
      },
      async (client) => {
        const result = await client.send(letter(1_024))
        const outcome = result.recipients.get('bob0@hamburger.example')!
        assert.deepEqual([outcome.kind, outcome.stage, outcome.status], ['temporary', stage, '4.4.2'], until)
        assert.match(outcome.text, /^Waited too long/)
        assert.equal(client.usable, false)
      },
      clock,
    )
  }
  const clock = new FakeClock()
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      lines(socket, (line) => {
        if (line.startsWith('RCPT')) clock.advance(290_000)
        return '250 ok\r\n'
      })
    },
    async (client) => {
      const result = await client.send(letter(10, 100))
      assert.deepEqual(kinds(result), ['temporary'])
    },
    clock,
  )
})

test('greeting and EHLO have their time-outs', async () => {
  for (const greeting of ['', '220 mx\r\n', '220-mx\r\n', '22']) {
    const clock = new FakeClock()
    const attempt = against(
      (socket) => {
        socket.write(greeting)
        setTimeout(() => clock.advance(300_000), 20)
      },
      async () => assert.fail('opened'),
      clock,
    )
    await assert.rejects(attempt, { reason: 'timeout', kind: 'temporary', status: '4.4.2' })
  }
})

test('a server that reads slowly slows us down, and does not make us gather the message', async () => {
  let asked = 0
  const total = 20_000_000
  const mail = letter(total)
  const body: OutgoingMessage['body'] = (offset, length) => {
    asked = offset
    return mail.body(offset, length)
  }
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      let inData = false
      let tail = ''
      socket.on('data', (chunk) => {
        tail = (tail + chunk.toString('latin1')).slice(-200)
        if (inData) {
          if (tail.endsWith('\r\n.\r\n')) socket.write('250 ok\r\n')
        } else if (tail.endsWith('DATA\r\n')) {
          inData = true
          socket.pause()
          setTimeout(() => {
            assert(asked < total / 2, `${asked} octets gathered`)
            socket.resume()
          }, 150)
          socket.write('354 go\r\n')
        } else {
          socket.write('250 ok\r\n')
        }
      })
    },
    async (client) => assert.deepEqual(kinds(await client.send({ ...mail, body })), ['delivered']),
  )
})

test('a server that refuses in the middle of a message is heard', async () => {
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      let inData = false
      socket.on('data', (chunk) => {
        if (inData) return
        inData = chunk.toString('latin1').endsWith('DATA\r\n')
        socket.write(inData ? '354 go\r\n' : '250 ok\r\n')
        if (inData) setTimeout(() => socket.write('552 5.3.4 too big\r\n'), 5)
      })
    },
    async (client) => {
      const result = await client.send(letter(50_000_000))
      const outcome = result.recipients.get('bob0@hamburger.example')!
      assert.deepEqual([outcome.kind, outcome.status], ['permanent', '5.3.4'])
      assert.equal(client.usable, false)
    },
  )
})

test('a server that accepts in the middle of a message is not believed', async () => {
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      let inData = false
      socket.on('data', (chunk) => {
        if (inData) return
        inData = chunk.toString('latin1').endsWith('DATA\r\n')
        socket.write(inData ? '354 go\r\n' : '250 ok\r\n')
        if (inData) setTimeout(() => socket.write('250 yes yes\r\n'), 5)
      })
    },
    async (client) => assert.deepEqual(kinds(await client.send(letter(50_000_000))), ['temporary']),
  )
})

test('a thousand recipients go in one write and are all answered', async () => {
  await against(
    (socket) => {
      socket.write('220 mx\r\n')
      let inData = false
      lines(socket, (line) => {
        if (inData) return line === '.' ? '250 ok\r\n' : ''
        inData = line === 'DATA'
        if (line.startsWith('EHLO')) return '250-mx\r\n250 PIPELINING\r\n'
        return inData ? '354 go\r\n' : /7@/.test(line) ? '450 4.2.1 later\r\n' : '250 ok\r\n'
      })
    },
    async (client) => {
      const result = await client.send(letter(10, 1_000))
      const late = [...result.recipients].filter(([, outcome]) => outcome.kind === 'temporary')
      assert.equal(result.recipients.size, 1_000)
      assert.equal(late.length, 100)
      assert(late.every(([path]) => path.includes('7@')))
    },
  )
})

test('whatever a server says, there is an outcome for each recipient, and no delivery without 250 to the dot', async () => {
  const random = seededRandom(7)
  const says = [
    '250 ok',
    '250-a',
    '354 go',
    '421 bye',
    '450 later',
    '550 no',
    '',
    'x',
    '220 hm',
    '250 ok\r\n250 ok',
    '999',
  ]
  for (let round = 0; round < 150; round++) {
    let dots = 0
    await against(
      (socket) => {
        socket.write('220 mx\r\n')
        lines(socket, (line) => {
          if (line === '.') dots++
          if (line.startsWith('EHLO')) return round % 2 === 0 ? '250 mx\r\n' : '250-mx\r\n250 PIPELINING\r\n'
          const [dice = 0] = random.bytes(1)
          if (dice > 250) socket.destroy()
          // Mostly what belongs here, so that the later steps are reached too.
          if (dice > 90) return line === 'DATA' ? '354 go\r\n' : line.startsWith('x') ? '' : '250 ok\r\n'
          const said = says[dice % says.length]!
          if (said === '' || said === '250-a') setTimeout(() => socket.destroy(), 5)
          return said === '' ? '' : `${said}\r\n`
        })
      },
      async (client) => {
        const result = await client.send(letter(2_048, 3))
        assert.equal(result.recipients.size, 3)
        if (kinds(result).includes('delivered')) assert(dots > 0)
      },
    ).catch((error) => assert(error instanceof SmtpFailure, String(error)))
  }
})
