import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { defaultLimits } from '../../src/base/limits.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type Speaker, speakTo } from '../harness/replay.ts'
import { letterOf, loggedIn, openLectureWorld, openWorld, testTls, type World } from './pop3-world.ts'

async function logIn(world: World): Promise<Speaker> {
  const speaker = await speakTo(world.endpoint)
  speaker.send('USER bob\r\nPASS hungry\r\n')
  for (const line of ['+OK POP3 server ready', '+OK', '+OK user successfully logged on'])
    await speaker.expect(line)
  return speaker
}

/** Waits until the server has noticed. */
async function until(ready: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !ready(); i++) await sleep(10)
  assert.ok(ready())
}

test('A connection that breaks without QUIT removes nothing and frees the maildrop, RFC 1939 §6', async () => {
  await using world = await openLectureWorld()
  const speaker = await logIn(world)
  speaker.send('DELE 1\r\nDELE 2\r\n')
  await speaker.expect('+OK message 1 deleted')
  speaker.socket.destroy()
  await until(() => world.listener.connections === 0)
  assert.equal(world.mail.letters(1).length, 2)
  assert.equal(world.mail.openIndexes, 0)
  await world.play(`${loggedIn}
    C: STAT
    S: +OK 2 1410
  `)
})

test('FIN after the commands: they are answered, QUIT among them counts', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    C: PASS hungry
    C: DELE 1
    C: QUIT
    C: (close)
    S: +OK
    S: +OK user successfully logged on
    S: +OK message 1 deleted
    S: +OK POP3 server signing off
    S: (closed)
  `)
  assert.equal(world.mail.letters(1).length, 1)
})

test('FIN without QUIT removes nothing', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    C: PASS hungry
    C: DELE 1
    C: (close)
    S: +OK
    S: +OK user successfully logged on
    S: +OK message 1 deleted
    S: (closed)
  `)
  assert.equal(world.mail.letters(1).length, 2)
})

test('QUIT that cannot remove says so, and everything is still there', async () => {
  await using world = await openLectureWorld()
  world.mail.expungeFails = true
  await world.play(`${loggedIn}
    C: DELE 1
    S: +OK message 1 deleted
    C: QUIT
    S: -ERR [SYS/TEMP] some deleted messages not removed
    S: (closed)
  `)
  assert.equal(world.mail.letters(1).length, 2)
  assert.equal(world.mail.openIndexes, 0)
})

test('QUIT is not answered before the removal is durable; the maildrop stays locked until then', async () => {
  await using world = await openLectureWorld()
  const { promise, resolve } = Promise.withResolvers<void>()
  world.mail.beforeExpunge = promise
  const speaker = await logIn(world)
  speaker.send('DELE 1\r\nQUIT\r\n')
  await speaker.expect('+OK message 1 deleted')
  speaker.socket.resetAndDestroy()
  await until(() => world.listener.connections === 0)
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: -ERR [IN-USE] Another POP3 session has this maildrop open
  `)
  resolve()
  await until(() => world.mail.openIndexes === 0)
  assert.equal(world.mail.letters(1).length, 1)
})

test('A client that leaves while its password is judged leaves no lock behind', async () => {
  await using world = await openLectureWorld()
  const { promise, resolve } = Promise.withResolvers<void>()
  world.authenticator.slowLogin = promise
  const speaker = await speakTo(world.endpoint)
  speaker.send('USER slow\r\nPASS hungry\r\n')
  await until(() => world.authenticator.attempts === 1)
  speaker.socket.resetAndDestroy()
  await until(() => world.listener.connections === 0)
  resolve()
  await until(() => world.mail.openIndexes === 0)
  await world.play(`
    S: +OK POP3 server ready
    C: USER slow
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
  `)
})

test('What IMAP removes keeps its number and is gone; what arrives later is not seen', async () => {
  await using world = await openLectureWorld()
  const speaker = await logIn(world)
  await world.options.store.expunge(1, 1, [1])
  world.mail.add(1, letterOf(200, 'Later'))
  const conversation: [string, string][] = [
    ['STAT', '+OK 2 1410'],
    ['LIST 2', '+OK 2 912'],
    ['UIDL 1', '+OK 1 1700000000.1'],
    ['RETR 1', '-ERR message gone'],
    ['TOP 1 0', '-ERR message gone'],
    ['RETR 3', '-ERR no such message'],
    ['DELE 1', '+OK message 1 deleted'],
    ['QUIT', '+OK POP3 server signing off'],
  ]
  for (const [command, reply] of conversation) {
    speaker.send(`${command}\r\n`)
    await speaker.expect(reply)
  }
  assert.equal(world.mail.letters(1).length, 2)
})

test('A message that cannot be read is refused, and only it', async () => {
  await using world = await openLectureWorld()
  world.mail.unreadable.add(1)
  await world.play(`${loggedIn}
    C: RETR 1
    S: -ERR [SYS/TEMP] message cannot be read, try again later
    C: LIST 2
    S: +OK 2 912
  `)
})

test('A message that breaks off in the middle has no final dot', async () => {
  await using world = await openWorld()
  world.mail.add(1, letterOf(300_000, 'Long'))
  const { store } = world.options
  const readBody = store.readBody.bind(store)
  store.readBody = (body, offset, octets) =>
    offset > 100_000 ? Promise.reject(new Error('disk')) : readBody(body, offset, octets)
  const speaker = await logIn(world)
  let received = ''
  speaker.socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  speaker.send('RETR 1\r\n')
  await once(speaker.socket, 'close')
  assert.ok(received.startsWith('+OK 300000 octets\r\n') && !received.includes('\r\n.\r\n'))
  assert.equal(world.journeys.length, 0)
})

test('However the commands are cut into packets, the answers are the same', async () => {
  const commands =
    'USER bob\r\nPASS hungry\r\nLIST\r\nRETR 1\r\nNOPE\r\nTOP 2 1\r\nUIDL 2\r\nDELE 2\r\nRSET\r\nQUIT\r\n'
  const answers = new Set<string>()
  const cuts = [1, 2, 3, 5, 7, 11, 16, 31, 64, commands.length]
  for (const length of cuts) {
    await using world = await openLectureWorld()
    const speaker = await speakTo(world.endpoint)
    let received = ''
    speaker.socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    for (let at = 0; at < commands.length; at += length) {
      speaker.send(commands.slice(at, at + length))
      await new Promise(setImmediate)
    }
    await once(speaker.socket, 'end')
    answers.add(received)
    speaker.socket.destroy()
  }
  assert.equal(answers.size, 1)
  assert.match([...answers][0]!, /signing off\r\n$/)
})

test('Ten thousand commands at once are all answered, and others are served meanwhile', async () => {
  await using world = await openLectureWorld()
  const speaker = await logIn(world)
  speaker.send(`${'NOOP\r\n'.repeat(10_000)}STAT\r\n`)
  const other = await speakTo(world.endpoint)
  await other.expect('+OK POP3 server ready')
  for (let i = 0; i < 10_000; i++) await speaker.expect('+OK')
  await speaker.expect('+OK 2 1410')
  speaker.socket.destroy()
  other.socket.destroy()
})

test('A client that asks and does not read makes us wait, not remember', async () => {
  await using world = await openWorld()
  world.mail.add(1, letterOf(8_000_000, 'Large'))
  let read = 0
  const { store } = world.options
  const readBody = store.readBody.bind(store)
  store.readBody = (body, offset, octets) => {
    read += octets
    return readBody(body, offset, octets)
  }
  const speaker = await logIn(world)
  speaker.socket.pause()
  speaker.send('RETR 1\r\n'.repeat(20))
  await sleep(300)
  const before = read
  await sleep(200)
  assert.equal(read, before)
  assert.ok(read < 16_000_000, `${read} octets were read ahead`)
  speaker.socket.destroy()
})

test('A client that says nothing is closed without a word, RFC 1939 §3', async () => {
  await using world = await openLectureWorld({ limits: { pop3IdleTimeoutMs: 150 } })
  const speaker = await logIn(world)
  speaker.send('DELE 1\r\n')
  await speaker.expect('+OK message 1 deleted')
  await speaker.expectClosed()
  assert.equal(world.mail.letters(1).length, 2)
})

test('Octets that drip without a line hold no session beyond its time', async () => {
  await using world = await openLectureWorld()
  const speaker = await logIn(world)
  const { pop3IdleTimeoutMs } = defaultLimits
  for (const octet of 'NO') {
    speaker.send(octet)
    world.clock.advance(pop3IdleTimeoutMs / 2 - 1)
  }
  speaker.send('OP\r\n')
  await speaker.expect('+OK')
  world.clock.advance(pop3IdleTimeoutMs - 1)
  speaker.send('NOOP\r\n')
  await speaker.expect('+OK')
  speaker.send('N')
  world.clock.advance(pop3IdleTimeoutMs)
  await speaker.expectClosed()
})

test('On shut-down a session ends with a word and removes nothing', async () => {
  await using world = await openLectureWorld()
  const speaker = await logIn(world)
  speaker.send('DELE 1\r\n')
  await speaker.expect('+OK message 1 deleted')
  const closed = world.listener.close(1_000)
  await speaker.expect('-ERR [SYS/TEMP] Server is shutting down, try again later')
  speaker.close()
  await closed
  assert.equal(world.mail.letters(1).length, 2)
})

async function secure(speaker: Speaker): Promise<{ ask(command: string): Promise<string> }> {
  speaker.socket.removeAllListeners('data')
  const socket = connectTls({
    socket: speaker.socket,
    rejectUnauthorized: false,
    servername: 'mail.hamburger.edu',
  })
  await once(socket, 'secureConnect')
  return {
    async ask(command) {
      socket.write(`${command}\r\n`)
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      return chunk.toString('latin1')
    },
  }
}

test('STLS, RFC 2595 §4: log-in needs it, and what was said in the clear does not count', async () => {
  await using world = await openLectureWorld({ tls: testTls(), plaintext: 'never' })
  const speaker = await speakTo(world.endpoint)
  await speaker.expect('+OK POP3 server ready')
  speaker.send('USER bob\r\nCAPA\r\n')
  await speaker.expect('-ERR [SYS/PERM] Say STLS first: log-in needs TLS')
  for (const line of ['+OK Capability list follows', 'TOP', 'UIDL', 'STLS']) await speaker.expect(line)
  for (const _ of ['RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE', 'IMPLEMENTATION', '.']) {
    await speaker.expect('<…>')
  }
  speaker.send('STLS\r\n')
  await speaker.expect('+OK Begin TLS negotiation')
  const { ask } = await secure(speaker)
  assert.equal(await ask('PASS hungry'), '-ERR Say USER first\r\n')
  assert.equal(await ask('STLS'), '-ERR Command not permitted when TLS active\r\n')
  assert.match(await ask('CAPA'), /USER\r\nSASL PLAIN LOGIN\r\nRESP/)
  assert.equal(await ask('USER bob'), '+OK\r\n')
  assert.equal(await ask('PASS hungry'), '+OK user successfully logged on\r\n')
  assert.equal(await ask('STAT'), '+OK 2 1410\r\n')
  speaker.socket.destroy()
})

test('What is pipelined behind STLS is never run, CVE-2011-0411', async () => {
  await using world = await openLectureWorld({ tls: testTls() })
  const speaker = await speakTo(world.endpoint)
  await speaker.expect('+OK POP3 server ready')
  speaker.send('STLS\r\nUSER bob\r\nPASS hungry\r\nDELE 1\r\nQUIT\r\n')
  await speaker.expect('+OK Begin TLS negotiation')
  const { ask } = await secure(speaker)
  assert.equal(await ask('NOOP'), '-ERR Log in first\r\n')
  assert.equal(world.authenticator.attempts, 0)
  speaker.socket.destroy()
})

test('STLS is refused where there is no certificate', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: STLS
    S: -ERR STLS is not offered here
    C: STLS now
    S: -ERR Cannot read the command: it takes no argument
  `)
})

test('With TLS from the first octet log-in is offered, and plain text gets no answer', async () => {
  await using world = await openLectureWorld({ tls: testTls(), implicitTls: true, plaintext: 'never' })
  const { address, port } = world.endpoint
  const socket = connectTls({ host: address, port, rejectUnauthorized: false })
  const [greeting] = (await once(socket, 'data')) as [Buffer]
  assert.equal(greeting.toString(), '+OK POP3 server ready\r\n')
  socket.write('USER bob\r\nPASS hungry\r\n')
  await once(socket, 'data')
  socket.destroy()
  const plain = await speakTo(world.endpoint)
  plain.send('USER bob\r\n')
  await once(plain.socket, 'close')
  await until(() => world.listener.connections === 0)
})
