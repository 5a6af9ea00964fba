import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { letterOf, openLectureWorld, openWorld } from './pop3-world.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function linesOf(entry: JourneyEntry): string[] {
  const lines = entry.events[0]!.data['lines'] as { side: string; text: string }[]
  return lines.map(({ side, text }) => `${side}: ${text}`)
}

test('Each retrieved message gets one entry with its own lines, and no password', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: PASS hungry
    S: -ERR Say USER first
    C: hungry
    S: -ERR Cannot read the line: expected a command
    C: AUTH PLAIN ${base64('\0bob\0thirsty')}
    S: -ERR [AUTH] Login or password is wrong
    C: user bob
    S: +OK
    C: pass hungry
    S: +OK user successfully logged on
    C: LIST 1
    S: +OK 1 498
    C: retr 1
    S: +OK 498 octets
    S: <message 1>
    S: .
    C: dele 1
    S: +OK message 1 deleted
    C: RETR 2
    S: +OK 912 octets
    S: <message 2>
    S: .
    C: TOP 2 0
    S: +OK
    S: From: alice@crepes.fr
    S: To: bob@hamburger.edu
    S: Subject: Pickles
    S:
    S: .
    C: QUIT
    S: +OK POP3 server signing off
    S: (closed)
  `)
  assert.deepEqual(
    world.journeys.map((entry) => entry.journeyId),
    ['journey-1', 'journey-2'],
  )
  const [first, second] = world.journeys as [JourneyEntry, JourneyEntry]
  const event = first.events[0]!
  assert.equal(event.kind, 'collect.pop3')
  assert.equal(event.stage, 'collected')
  assert.deepEqual(event.visibleTo, ['recipient', 'admin'])
  const { messageNumber, uid, uniqueId, octets, retrieved, deleted, tls, host } = event.data
  assert.deepEqual(
    { messageNumber, uid, uniqueId, octets, retrieved, deleted, tls, host },
    {
      messageNumber: 1,
      uid: 1,
      uniqueId: '1700000000.1',
      octets: 498,
      retrieved: true,
      deleted: true,
      tls: null,
      host: 'mail.hamburger.edu',
    },
  )
  assert.deepEqual(linesOf(first), [
    'S: +OK POP3 server ready',
    'C: PASS ***',
    'S: -ERR Say USER first',
    'C: ***',
    'S: -ERR Cannot read the line: expected a command',
    'C: AUTH PLAIN ***',
    'S: -ERR [AUTH] Login or password is wrong',
    'C: user bob',
    'S: +OK',
    'C: pass ***',
    'S: +OK user successfully logged on',
    'C: retr 1',
    'S: +OK 498 octets',
    'S: (message, 498 octets)',
    'S: .',
    'C: dele 1',
    'S: +OK message 1 deleted',
    'C: QUIT',
    'S: +OK POP3 server signing off',
  ])
  assert.equal(second.events[0]!.data['deleted'], false)
  assert.doesNotMatch(JSON.stringify(world.journeys), /hungry|thirsty|dGhpcnN0/)
})

test('A log-in by AUTH LOGIN leaves nothing of its answers', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: AUTH LOGIN
    S: + VXNlcm5hbWU6
    C: ${base64('bob')}
    S: + UGFzc3dvcmQ6
    C: ${base64('hungry')}
    S: +OK user successfully logged on
    C: RETR 1
    S: +OK 498 octets
    S: <message 1>
    S: .
    C: QUIT
    S: +OK POP3 server signing off
  `)
  assert.doesNotMatch(JSON.stringify(world.journeys), new RegExp(`${base64('hungry')}|${base64('bob')}`))
})

test('Deleted without being read: the journey says removed, not retrieved', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: DELE 2
    S: +OK message 2 deleted
    C: QUIT
    S: +OK POP3 server signing off
  `)
  const [entry] = world.journeys
  assert.equal(world.journeys.length, 1)
  assert.equal(entry!.journeyId, 'journey-2')
  assert.equal(entry!.events[0]!.data['retrieved'], false)
  assert.equal(entry!.events[0]!.data['deleted'], true)
})

test('What a failing QUIT kept is not said to be deleted, and a message without a journey gets none', async () => {
  await using world = await openLectureWorld()
  world.mail.add(1, letterOf(200, 'No journey'))
  world.mail.expungeFails = true
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: RETR 1
    S: +OK 498 octets
    S: <message 1>
    S: .
    C: DELE 1
    S: +OK message 1 deleted
    C: RETR 3
    S: +OK 200 octets
    S: <message 3>
    S: .
    C: QUIT
    S: -ERR [SYS/TEMP] some deleted messages not removed
  `)
  assert.equal(world.journeys.length, 1)
  assert.equal(world.journeys[0]!.events[0]!.data['deleted'], false)
})

test('A session over many messages hands over in groups and loses none', async () => {
  await using world = await openWorld()
  for (let i = 1; i <= 1_200; i++) world.mail.add(1, letterOf(150, 'x'), { journeyId: `journey-${i}` })
  let commands = ''
  for (let i = 1; i <= 1_200; i++) commands += `RETR ${i}\r\nDELE ${i}\r\n`
  const { speakTo } = await import('../harness/replay.ts')
  const speaker = await speakTo(world.endpoint)
  let received = ''
  speaker.socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
  })
  speaker.send(`USER bob\r\nPASS hungry\r\n${commands}QUIT\r\n`)
  await new Promise((resolve) => speaker.socket.once('end', resolve))
  assert.match(received, /signing off\r\n$/)
  const retrieved = world.journeys.filter((entry) => entry.events[0]!.data['retrieved'])
  const deleted = world.journeys.filter((entry) => entry.events[0]!.data['deleted'])
  assert.equal(new Set(retrieved.map((entry) => entry.journeyId)).size, 1_200)
  assert.equal(new Set(deleted.map((entry) => entry.journeyId)).size, 1_200)
  speaker.socket.destroy()
})
