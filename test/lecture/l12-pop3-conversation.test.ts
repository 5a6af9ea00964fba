/** L12: the sample POP3 conversation, octet for octet, against the mailbox of bob in the Lab. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedLetters } from '../../src/lab/seed-letters.ts'
import { endpointOf, startLabProcess } from '../harness/lab.ts'
import { says, Talk } from './stage.ts'

/** As it stands on the slide; `+` before a status line that it leaves out and RFC 1939 §5 requires. */
const lecture = `
S: +OK POP3 server ready
C: user bob
S: +OK
C: pass hungry
S: +OK user successfully logged on
C: list
+: +OK 2 messages (1410 octets)
S: 1 498
S: 2 912
S: .
C: retr 1
+: +OK 498 octets
S: <message 1 contents>
S: .
C: dele 1
+: +OK message 1 deleted
C: retr 2
+: +OK 912 octets
S: <message 2 contents>
S: .
C: dele 2
+: +OK message 2 deleted
C: quit
S: +OK POP3 server signing off
`
  .trim()
  .split('\n')

const letters = seedLetters().map((octets) => octets.toString('latin1'))

/** The octets of one line of the server. */
function octetsOf(line: string): string {
  const contents = /^S: <message (\d) contents>$/.exec(line)
  return contents === null ? `${line.slice(3)}\r\n` : letters[Number(contents[1]) - 1]!
}

test('L12 the conversation is the lecture’s, octet for octet, with the status lines of list, retr and dele', async (t) => {
  const { hamburger, env } = await startLabProcess(t, ['--scene', 'lecture'])
  assert.deepEqual(
    letters.map((text) => text.length),
    [498, 912],
  )
  // Twice: a reset brings the two letters back, these and no others.
  for (const round of ['first', 'after a reset']) {
    const talk = await Talk.to(endpointOf(hamburger.pop3))
    let heard = ''
    let expected = ''
    for (const line of lecture) {
      if (line.startsWith('C')) {
        talk.send(`${line.slice(3)}\r\n`)
        continue
      }
      const octets = octetsOf(line)
      expected += octets
      // Whatever comes is taken line by line, so that a wrong one is seen and not waited for.
      for (let lines = octets.split('\r\n').length - 1; lines > 0; lines--) heard += await talk.until('\r\n')
      assert.equal(heard, expected, round)
    }
    assert.equal(await talk.toTheEnd(), '')
    const empty = await Talk.to(endpointOf(hamburger.pop3))
    empty.send('user bob\r\npass hungry\r\nstat\r\n')
    await empty.until('logged on\r\n')
    assert.equal(await empty.until('\r\n'), '+OK 0 0\r\n')
    empty.hangUp()
    await says(env, 'lab', 'reset')
  }
})
