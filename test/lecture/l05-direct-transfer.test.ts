/** L5: SMTP between mail servers is TCP to port 25 of the receiving server, without anybody in between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointName } from '../../src/base/peer.ts'
import { doorsOf, letter, listenIn, openPop3, openStage, seenByBoth, submit, wayWith } from './stage.ts'

test('L5 the sending server looks up MX, opens TCP to port 25 of the receiving one, and hands over directly', async (t) => {
  const { lab, env } = await openStage(t, 'today')
  const { smtp, pop3 } = doorsOf(lab.line, 'hamburger.edu')
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [letter('Straight')])
  const way = await wayWith(env, ['last'], seenByBoth, 'both sides of the dialogue')
  const events = way.stages.flatMap((stage) => stage.events)

  const answer = events.find(({ kind, data }) => kind === 'dns.answer' && data['type'] === 'MX')!
  assert.equal(answer.server, 'crepes.fr')
  assert.equal(answer.data['name'], 'hamburger.edu')
  assert.deepEqual(answer.data['records'], [{ preference: 10, exchange: 'mail.hamburger.edu' }])

  // One connection, opened by the sender, to port 25 of the story; the port map says where that is on this machine.
  const opened = events.filter(({ kind }) => kind === 'tcp.open')
  assert.equal(opened.length, 1)
  const { server, data } = opened[0]!
  assert.equal(server, 'crepes.fr')
  assert.deepEqual([data['ok'], data['hostname'], data['port']], [true, 'mail.hamburger.edu', 25])
  assert.equal(data['remote'], endpointName(smtp.address, smtp.port))
  // What one end calls local is the client of which the other end tells.
  const received = events.find(({ kind, server: who }) => kind === 'wire' && who === 'hamburger.edu')!
  assert.equal(received.data['client'], data['local'])
  assert.equal(received.data['server'], data['remote'])

  // The letter bears two stamps: of Alice's server, which got it from her agent, and of Bob's, which got it from hers.
  const session = await openPop3(pop3)
  const text = await session.retr(3)
  await session.quit()
  const stamps = [...text.replace(/\r\n[ \t]+/g, ' ').matchAll(/^Received: from (\S+) .*? by (\S+)/gm)]
  assert.deepEqual(
    stamps.map(([, from, by]) => [from, by]),
    [
      ['mail.crepes.fr', 'mail.hamburger.edu'],
      ['alice.example', 'mail.crepes.fr'],
    ],
  )
})

test('L5 the sending server is the client: it connects, it speaks the commands, the receiver only answers', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  const tap = await listenIn(t, doorsOf(lab.line, 'hamburger.edu').smtp)
  lab.redirect('hamburger.edu:25', tap.endpoint)
  const crepesTap = await listenIn(t, doorsOf(lab.line, 'crepes.fr').smtp)
  lab.redirect('crepes.fr:25', crepesTap.endpoint)
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [letter('One way')])
  await wayWith(
    env,
    ['last'],
    ({ filedAt, stages }) => filedAt !== null && stages.length === 10,
    'the letter',
  )
  assert.equal(tap.connections.length, 1)
  assert.equal(crepesTap.connections.length, 0)
  const { client, server } = tap.connections[0]!
  assert.match(client.toString('latin1'), /^HELO crepes\.fr\r\nMAIL FROM: /)
  assert.match(server.toString('latin1'), /^220 hamburger\.edu\r\n250 /)
})
