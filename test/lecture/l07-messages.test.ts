/** L7: 7-bit ASCII, CRLF.CRLF, several messages on one connection, several objects in one message. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scanMessage } from '../../src/message/scan.ts'
import { attachments, partContent, plainTextOf } from '../../src/message/text.ts'
import { freePort } from '../harness/ports.ts'
import {
  bobHas,
  doorsOf,
  letter,
  listenIn,
  openPop3,
  openStage,
  says,
  saysJson,
  submit,
  Talk,
  waitFor,
  wayWith,
} from './stage.ts'

interface QueueListing {
  readonly entries: readonly { readonly attempts: number }[]
}

test('L7 letters that waited go over one persistent connection between the two servers', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  lab.redirect('hamburger.edu:25', { address: '127.0.0.1', port: await freePort() })
  const subjects = ['First', 'Second', 'Third', 'Fourth']
  await submit(
    doorsOf(lab.line, 'crepes.fr').submission,
    subjects.map((subject) => letter(subject)),
  )
  await waitFor(async () => {
    const { entries } = await saysJson<QueueListing>(env, 'queue', 'ls')
    return entries.length === 4 && entries.every(({ attempts }) => attempts > 0)
  }, 'four letters that wait')
  const tap = await listenIn(t, doorsOf(lab.line, 'hamburger.edu').smtp)
  lab.redirect('hamburger.edu:25', tap.endpoint)
  await says(env, 'queue', 'retry')
  await waitFor(async () => (await bobHas(lab)) === 6, 'four letters')
  await waitFor(() => tap.connections[0]!.over, 'QUIT')

  assert.equal(tap.connections.length, 1)
  const commands = tap.connections[0]!.client.toString('latin1')
  const count = (pattern: RegExp) => commands.match(pattern)?.length ?? 0
  assert.deepEqual(
    [/^HELO /gm, /^MAIL FROM:/gm, /^DATA\r$/gm, /\r\n\.\r\n/g, /^QUIT\r$/gm].map(count),
    [1, 4, 4, 4, 1],
  )
  // Each letter's own way tells which transaction of the connection it was.
  const { journeys } = lab.servers[1]
  const found = await waitFor(async () => {
    const all = await journeys.find({ recipient: 'bob@hamburger.edu', limit: 10 })
    return all.length === 4 && all
  }, 'four journeys')
  const links = found.map(({ facts }) => facts.links![0]!)
  assert.equal(new Set(links.map(({ client }) => client)).size, 1)
  assert.deepEqual(links.map(({ transaction }) => transaction).sort(), [0, 1, 2, 3])
})

test('L7 a letter ends with CRLF.CRLF and with nothing else, however its octets are cut', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { smtp, pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const talk = await Talk.to(smtp)
  await talk.until('220 mail.hamburger.edu ESMTP\r\n')
  for (const [command, code] of [
    ['HELO dots.example', '250 '],
    ['MAIL FROM:<a@dots.example>', '250 '],
    ['RCPT TO:<bob@hamburger.edu>', '250 '],
    ['DATA', '354 '],
  ] as const) {
    talk.send(`${command}\r\n`)
    assert.ok((await talk.until('\r\n')).startsWith(code))
  }
  // RFC 5321 §4.5.2: the client doubles a dot at the start of a line; elsewhere a dot is text.
  const stuffed = 'Subject: Dots\r\n\r\n..\r\n...\r\nend.\r\n..QUIT\r\na dot .\r\n'
  for (const octet of `${stuffed}.\r`) talk.send(octet)
  talk.send('\n')
  assert.ok((await talk.until('\r\n')).startsWith('250 '))
  talk.send('QUIT\r\n')
  assert.match(await talk.toTheEnd(), /^221 /)
  const session = await openPop3(pop3)
  const text = await session.retr(3)
  await session.quit()
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), '.\r\n..\r\nend.\r\n.QUIT\r\na dot .\r\n')
})

test('L7 several objects travel in one multipart message, in 7-bit ASCII only', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  const tap = await listenIn(t, doorsOf(lab.line, 'hamburger.edu').smtp)
  lab.redirect('hamburger.edu:25', tap.endpoint)
  const picture = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 37) % 256))
  writeFileSync(join(env['HOME']!, 'crêpe.png'), picture)
  writeFileSync(join(env['HOME']!, 'list.txt'), 'eggs\nmilk\n')
  await says(
    env,
    ...['send', '--as', 'alice', '--to', 'bob@hamburger.edu', '-s', 'Crêpes à la carte'],
    ...['-m', 'Voilà, trois pièces.', '-a', 'crêpe.png', 'list.txt'],
  )
  await waitFor(async () => (await bobHas(lab)) === 3, 'the letter')

  const { client } = tap.connections[0]!
  assert.ok(
    client.every((octet) => octet < 128),
    'eight-bit octets between the servers',
  )
  for (const line of client.toString('latin1').split('\r\n')) assert.ok(line.length <= 998)
  const session = await openPop3(doorsOf(lab.line, 'hamburger.edu').pop3)
  const octets = Buffer.from(await session.retr(3), 'latin1')
  await session.quit()
  const scan = scanMessage(octets)
  assert.equal(`${scan.root.type}/${scan.root.subtype}`, 'multipart/mixed')
  assert.equal(plainTextOf(octets, scan.root).trim(), 'Voilà, trois pièces.')
  const files = attachments(scan.root)
  assert.deepEqual(
    files.map(({ name, type }) => [name, type]),
    [
      ['crêpe.png', 'image/png'],
      ['list.txt', 'text/plain'],
    ],
  )
  assert.deepEqual(Buffer.from(partContent(octets, files[0]!.part)), picture)
  // Bob's agent shows three objects, and gets them out.
  await says(env, 'ls', '--as', 'bob')
  const shown = await says(env, 'read', '1', '--as', 'bob')
  assert.match(
    shown,
    /Subject: Crêpes à la carte\n\nVoilà, trois pièces\.\n\n\[1\] crêpe\.png .*\n\[2\] list\.txt/,
  )
  await wayWith(env, ['last'], ({ state }) => state === 'collected', 'the last step')
})
