/** L9: the sample conversation between crepes.fr and hamburger.edu, octet for octet. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { endpointOf, startLabProcess } from '../harness/lab.ts'
import {
  bobHas,
  dialogueOf,
  doorsOf,
  listenIn,
  openImap,
  openPop3,
  openStage,
  says,
  seenByBoth,
  submit,
  Talk,
  waitFor,
  wayWith,
} from './stage.ts'

/** As it stands on the slide. */
const lecture = `
S: 220 hamburger.edu
C: HELO crepes.fr
S: 250 Hello crepes.fr, pleased to meet you
C: MAIL FROM: <alice@crepes.fr>
S: 250 alice@crepes.fr... Sender ok
C: RCPT TO: <bob@hamburger.edu>
S: 250 bob@hamburger.edu ... Recipient ok
C: DATA
S: 354 Enter mail, end with "." on a line by itself
C: Do you like ketchup?
C: How about pickles?
C: .
S: 250 Message accepted for delivery
C: QUIT
S: 221 hamburger.edu closing connection
`
  .trim()
  .split('\n')

/** All that one side says, as octets. */
const saidBy = (side: 'C' | 'S'): string =>
  lecture
    .filter((line) => line.startsWith(side))
    .map((line) => `${line.slice(3)}\r\n`)
    .join('')

const ketchup = 'Do you like ketchup?\nHow about pickles?'
const ketchupBody = 'Do you like ketchup?\r\nHow about pickles?\r\n'

const isReply = (line: string | undefined): boolean => line?.startsWith('S') ?? true

test('L9 a socket that says the C: lines to port 25 of hamburger.edu hears the S: lines, and nothing else', async (t) => {
  const { hamburger } = await startLabProcess(t, ['--scene', 'lecture'])
  const talk = await Talk.to(endpointOf(hamburger.smtp))
  let heard = ''
  for (const line of lecture) {
    if (line.startsWith('C')) talk.send(`${line.slice(3)}\r\n`)
    else heard += await talk.until('\r\n')
  }
  heard += await talk.toTheEnd()
  assert.equal(heard, saidBy('S'))
  const session = await openPop3(endpointOf(hamburger.pop3))
  const text = await session.retr(3)
  await session.quit()
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), ketchupBody)
})

test('L9 what the server of crepes.fr says to a stranger in place of hamburger.edu is the C: lines, and nothing else', async (t) => {
  const { lab } = await openStage(t, 'lecture')
  const replies = lecture.filter((line) => line.startsWith('S')).map((line) => `${line.slice(3)}\r\n`)
  // Ends of what has to be heard before each further reply.
  const cues = lecture.flatMap((line, index) =>
    line.startsWith('C') && isReply(lecture[index + 1]) ? [`${line.slice(3)}\r\n`] : [],
  )
  let heard = ''
  let answered = 0
  const stranger = createServer((socket) => {
    socket.setEncoding('latin1')
    socket.write(replies[0]!)
    socket.on('error', () => {})
    socket.on('data', (text: string) => {
      heard += text
      while (answered < cues.length && heard.endsWith(cues[answered]!)) socket.write(replies[++answered]!)
      if (answered === cues.length) socket.end()
    })
  })
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  t.after(() => void stranger.close())
  lab.redirect('hamburger.edu:25', { address: '127.0.0.1', port: (stranger.address() as AddressInfo).port })
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [ketchup])
  await waitFor(() => answered === cues.length, `QUIT; heard: ${JSON.stringify(heard)}`)
  assert.equal(heard, saidBy('C'))
  await waitFor(async () => (await lab.servers[0].store.listQueue(10)).length === 0, 'an empty queue')
})

test('L9 between the two servers of the Lab the conversation is the lecture’s, and Bob reads about ketchup', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  const { smtp, pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  const tap = await listenIn(t, smtp)
  lab.redirect('hamburger.edu:25', tap.endpoint)
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [ketchup])
  await waitFor(async () => (await bobHas(lab)) === 3, 'the letter')
  await waitFor(() => tap.connections[0]!.over, 'the end of the connection')
  assert.equal(tap.connections.length, 1)
  assert.equal(tap.connections[0]!.client.toString('latin1'), saidBy('C'))
  assert.equal(tap.connections[0]!.server.toString('latin1'), saidBy('S'))

  const session = await openPop3(pop3)
  const text = await session.retr(3)
  await session.quit()
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), ketchupBody)
  assert.match(text, /^Return-Path: <alice@crepes\.fr>\r\nReceived: from crepes\.fr /)
  const client = await openImap(t, imap)
  await client.mailboxOpen('INBOX')
  const found = await client.fetchOne('3', { bodyParts: ['TEXT'] })
  assert.equal(found && found.bodyParts!.get('text')!.toString('latin1'), ketchupBody)
  await says(env, 'ls', '--as', 'bob')
  // No header, so nothing above the blank line.
  assert.equal(await says(env, 'read', '1', '--as', 'bob'), `\n${ketchup}\n`)
})

test('L9 the way of the letter tells the conversation line for line; of the message it tells the length', async (t) => {
  const { lab, env } = await openStage(t, 'lecture')
  await submit(doorsOf(lab.line, 'crepes.fr').submission, [ketchup])
  const way = await wayWith(
    env,
    ['last'],
    (one) => seenByBoth(one) && dialogueOf(one, 'spoken').at(-1)!.startsWith('S: 221'),
    'both sides of the dialogue',
  )
  // A journey holds no mail: two lines of text, 42 octets, stand as one line.
  const expected = lecture
    .join('\n')
    .replace('C: Do you like ketchup?\nC: How about pickles?', `C: (message, ${ketchupBody.length} octets)`)
  assert.equal(dialogueOf(way, 'spoken').join('\n'), expected)
  const shown = await says(env, 'way', 'last', '--wire')
  const lines = shown
    .slice(shown.indexOf('\n4 Spoken'), shown.indexOf('\n5 Judged'))
    .matchAll(/^ +([CS]: .*?)(?: {2}\+.*)?$/gm)
  assert.equal(Array.from(lines, ([, line]) => line).join('\n'), expected)
})
