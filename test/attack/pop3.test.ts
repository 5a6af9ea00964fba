/** What is tried on the POP3 door: numbers, locks, connections that break, names that may exist. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLectureWorld, type World } from '../transcripts/pop3-world.ts'
import { type Attacker, attack } from './client.ts'

async function openWorld(t: TestContext, errorsPerSession = 1_000): Promise<World> {
  const world = await openLectureWorld({ limits: { errorsPerSession } })
  t.after(() => world[Symbol.asyncDispose]())
  return world
}

const line = /^.*\r\n/

async function logIn(t: TestContext, world: World): Promise<{ one: Attacker; reply: string }> {
  const one = await attack(world.endpoint)
  t.after(() => one.socket.destroy())
  await one.until(line)
  await one.ask('USER bob', line)
  return { one, reply: await one.ask('PASS hungry', line) }
}

test('Numbers that are none, too large, negative or signed name no message', async (t) => {
  const world = await openWorld(t)
  const { one } = await logIn(t, world)
  const numbers = [
    '0',
    '-1',
    '+1',
    '3',
    '99999999999999999999',
    '1e0',
    '0x1',
    '1.0',
    '1 1',
    '*',
    '4294967297',
    '1\0',
  ]
  for (const number of ['', ...numbers])
    for (const command of [`RETR ${number}`, `DELE ${number}`, `TOP ${number} 1`])
      assert.match(await one.ask(command, line), /^-ERR /, command)
  for (const number of numbers)
    for (const command of ['LIST', 'UIDL'])
      assert.match(await one.ask(`${command} ${number}`, line), /^-ERR /, `${command} ${number}`)
  assert.match(await one.ask('STAT', line), /^\+OK 2 /)
})

test('TOP with more lines than can be counted gives the whole message', async (t) => {
  const world = await openWorld(t)
  const { one } = await logIn(t, world)
  const whole = (await one.ask('RETR 1', /\r\n\.\r\n$/)).replace(line, '')
  for (const lines of ['4294967297', '9'.repeat(400)])
    assert.equal((await one.ask(`TOP 1 ${lines}`, /\r\n\.\r\n$/)).replace(line, ''), whole)
})

test('A client that is gone, however, leaves its maildrop and its messages', async (t) => {
  const world = await openWorld(t)
  const endings = [
    (one: Attacker) => one.socket.resetAndDestroy(),
    (one: Attacker) => one.socket.end(),
    (one: Attacker) => {
      one.socket.pause()
      one.send('RETR 2\r\n'.repeat(2_000))
      setTimeout(() => one.socket.resetAndDestroy(), 50)
    },
  ]
  for (const end of endings) {
    const { one, reply } = await logIn(t, world)
    assert.match(reply, /^\+OK /)
    await one.ask('DELE 1', line)
    const { one: second, reply: locked } = await logIn(t, world)
    assert.match(locked, /^-ERR \[IN-USE\]/)
    second.socket.destroy()
    end(one)
    await sleep(200)
  }
  const { one } = await logIn(t, world)
  assert.match(await one.ask('STAT', line), /^\+OK 2 /)
  assert.equal(world.mail.openIndexes, 1)
})
