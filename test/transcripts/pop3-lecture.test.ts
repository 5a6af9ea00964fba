import assert from 'node:assert/strict'
import { test } from 'node:test'
import { letterOf, openLectureWorld, openWorld } from './pop3-world.ts'

test('L12: the conversation of the lecture, line for line, with the status lines it leaves out', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: user bob
    S: +OK
    C: pass hungry
    S: +OK user successfully logged on
    C: list
    S: +OK 2 messages (1410 octets)
    S: 1 498
    S: 2 912
    S: .
    C: retr 1
    S: +OK 498 octets
    S: <message 1 contents>
    S: .
    C: dele 1
    S: +OK message 1 deleted
    C: retr 2
    S: +OK 912 octets
    S: <message 2 contents>
    S: .
    C: dele 2
    S: +OK message 2 deleted
    C: quit
    S: +OK POP3 server signing off
    S: (closed)
  `)
  assert.equal(world.mail.letters(1).length, 0)
})

test('L13: after "download and delete" bob cannot read again from another client', async () => {
  await using world = await openLectureWorld()
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    C: PASS hungry
    C: RETR 1
    C: DELE 1
    C: QUIT
    S: +OK
    S: +OK user successfully logged on
    S: +OK 498 octets
    S: <message 1 contents>
    S: .
    S: +OK message 1 deleted
    S: +OK POP3 server signing off
    S: (closed)
  `)
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: LIST
    S: +OK 1 messages (912 octets)
    S: 1 912
    S: .
    C: UIDL
    S: +OK
    S: 1 1700000000.2
    S: .
    C: QUIT
    S: +OK POP3 server signing off
  `)
})

test('L13: after "download and keep" another client reads a copy, and POP3 remembers nothing in between', async () => {
  await using world = await openLectureWorld()
  const session = `
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: UIDL
    S: +OK
    S: 1 1700000000.1
    S: 2 1700000000.2
    S: .
    C: RETR 1
    S: +OK 498 octets
    S: <message 1 contents>
    S: .
    C: QUIT
    S: +OK POP3 server signing off
    S: (closed)
  `
  await world.play(session)
  await world.play(session)
})

test('RFC 1939 §10, example session, with USER and PASS instead of APOP', async () => {
  await using world = await openWorld()
  world.mail.add(1, letterOf(120, 'First'))
  world.mail.add(1, letterOf(200, 'Second'))
  await world.play(`
    S: +OK POP3 server ready
    C: USER bob
    S: +OK
    C: PASS hungry
    S: +OK user successfully logged on
    C: STAT
    S: +OK 2 320
    C: LIST
    S: +OK 2 messages (320 octets)
    S: 1 120
    S: 2 200
    S: .
    C: RETR 1
    S: +OK 120 octets
    S: <message 1>
    S: .
    C: DELE 1
    S: +OK message 1 deleted
    C: RETR 2
    S: +OK 200 octets
    S: <message 2>
    S: .
    C: DELE 2
    S: +OK message 2 deleted
    C: QUIT
    S: +OK POP3 server signing off
    S: (closed)
  `)
})
