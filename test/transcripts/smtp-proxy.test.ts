/** Proxies in front of us: the PROXY protocol and XCLIENT. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { FilterClient } from '../../src/smtp/filter/filter.ts'
import type { SmtpDoorOptions } from '../../src/smtp/server/options.ts'
import { FakeClock } from '../../src/base/clock.ts'
import { replay, speakTo } from '../harness/replay.ts'
import { testTls } from './pop3-world.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

async function withDoor(
  door: Partial<SmtpDoorOptions>,
  work: (own: SmtpHarness) => Promise<void>,
): Promise<void> {
  const own = await openSmtpDoor({ door })
  try {
    await work(own)
  } finally {
    await own.close()
  }
}

/** Notes whom the filters are told of. */
function watching(seen: string[]) {
  const note = (client: FilterClient): string =>
    `${client.remoteAddress}:${client.remotePort} ${client.localAddress} ${client.clientName}`
  return {
    name: 'watching',
    open: (client: FilterClient) => ({
      connect: () => (seen.push(`connect ${note(client)}`) > 0 ? null : null),
      hello: () => (seen.push(`hello ${note(client)}`) > 0 ? null : null),
      close: () => void seen.push('close'),
    }),
  }
}

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: EHLO crepes.fr
  S: (…)`
const letter = `
  C: MAIL FROM:<alice@crepes.fr>
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 2.1.5 Recipient ok
  C: DATA
  S: 354 <…>
  C: .
  S: 250 2.0.0 <…>`

test('PROXY from a listed address says whose connection it is, before the greeting', async () => {
  const seen: string[] = []
  await withDoor({ proxies: ['127.0.0.1'], filters: [watching(seen)] }, async (own) => {
    await replay(
      own.endpoint,
      `
      C: PROXY TCP4 192.0.2.7 192.0.2.25 4711 25${hello}${letter}
      C: QUIT
      S: 221 2.0.0 <…>
      S: (closed)
    `,
    )
    const [text] = await own.inbox('bob@hamburger.edu')
    assert.match(text!, /Received: from crepes\.fr \(\[192\.0\.2\.7\]\)/)
    const binary = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\xc0\0\x02\x19\x12\x67\0\x19'
    await replay(
      own.endpoint,
      `C-raw: ${JSON.stringify(binary)}${hello}\nC: QUIT\nS: 221 2.0.0 <…>\nS: (closed)`,
    )
  })
  assert.deepEqual(seen, [
    'connect 192.0.2.7:4711 192.0.2.25 ',
    'hello 192.0.2.7:4711 192.0.2.25 crepes.fr',
    'close',
    'connect 192.0.2.8:4711 192.0.2.25 ',
    'hello 192.0.2.8:4711 192.0.2.25 crepes.fr',
    'close',
  ])
})

test('a listed address that says nothing of the kind is cut off; an unlisted one is not believed', async () => {
  await withDoor({ proxies: ['127.0.0.1'] }, (own) => replay(own.endpoint, 'C: EHLO crepes.fr\nS: (closed)'))
  await withDoor({ proxies: ['192.0.2.1'] }, (own) =>
    replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: PROXY TCP4 192.0.2.7 192.0.2.25 4711 25
      S: 500 5.5.2 Command not recognized
    `,
    ),
  )
})

test('a proxy that is silent is cut off after five seconds', async () => {
  const clock = new FakeClock()
  await withDoor({ proxies: ['127.0.0.1'], clock }, async (own) => {
    const speaker = await speakTo(own.endpoint)
    // The server has this connection too once another one, made later, has its greeting.
    const later = await speakTo(own.endpoint)
    later.send('PROXY UNKNOWN\r\n')
    await later.expect('220 mail.hamburger.edu ESMTP')
    clock.advance(5_000)
    await speaker.expectClosed()
    later.send('HELO crepes.fr\r\n')
    await later.expect('250 mail.hamburger.edu')
    later.socket.destroy()
  })
})

test('XCLIENT from a listed address: the session begins anew, as the client that is named', async () => {
  const seen: string[] = []
  await withDoor({ xclient: ['127.0.0.1'], filters: [watching(seen)] }, async (own) => {
    await replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO proxy.hamburger.edu
      S: 250-mail.hamburger.edu
      S: 250-PIPELINING
      S: 250-SIZE 50000000
      S: 250-8BITMIME
      S: 250-CHUNKING
      S: 250-BINARYMIME
      S: 250-SMTPUTF8
      S: 250-DSN
      S: 250-DELIVERBY
      S: 250-LIMITS MAILMAX=100000 RCPTMAX=1000
      S: 250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN
      S: 250 ENHANCEDSTATUSCODES
      C: XCLIENT ADDR=192.0.2.300
      S: 501 5.5.4 Cannot read XCLIENT: ADDR is none
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: XCLIENT ADDR=192.0.2.9
      S: 503 5.5.1 Bad sequence of commands
      C: RSET
      S: 250 2.0.0 Reset
      C: XCLIENT NAME=smtp.crepes.fr ADDR=192.0.2.9 PORT=4711 HELO=crepes.fr PROTO=ESMTP
      S: 220 mail.hamburger.edu ESMTP
      C: MAIL FROM:<alice@crepes.fr>
      S: 503 5.5.1 Say EHLO or HELO first
      C: EHLO proxy.hamburger.edu
      S: (…)${letter}
    `,
    )
    const [text] = await own.inbox('bob@hamburger.edu')
    assert.match(text!, /Received: from crepes\.fr \(smtp\.crepes\.fr \[192\.0\.2\.9\]\)/)
  })
  assert.deepEqual(seen.slice(2), [
    'close',
    'connect 192.0.2.9:4711 127.0.0.1 ',
    'hello 192.0.2.9:4711 127.0.0.1 crepes.fr',
    'close',
  ])
})

test('XCLIENT LOGIN logs in where people log in; from anybody else XCLIENT is refused', async () => {
  await withDoor({ xclient: ['127.0.0.1'], role: 'submission' }, (own) =>
    replay(
      own.endpoint,
      `${hello}
      C: XCLIENT LOGIN=nobody
      S: 501 5.5.4 Cannot read XCLIENT: LOGIN is no account here
      C: XCLIENT LOGIN=bob
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: (…)
      C: MAIL FROM:<carol@hamburger.edu>
      S: 550 5.7.1 You are logged in as bob@hamburger.edu and may not send as another
      C: MAIL FROM:<bob@hamburger.edu>
      S: 250 2.1.0 Originator ok
    `,
    ),
  )
  await withDoor({ role: 'submission' }, (own) =>
    replay(own.endpoint, `${hello}\nC: XCLIENT LOGIN=bob\nS: 550 5.7.1 XCLIENT is not for you`),
  )
})

test('PROXY stands before TLS, in the same segment as the handshake or not', async () => {
  for (const together of [true, false]) {
    await withDoor({ proxies: ['127.0.0.1'], implicitTls: true, tls: testTls() }, async (own) => {
      const plain = connect({ host: own.endpoint.address, port: own.endpoint.port })
      await new Promise((resolve) => plain.once('connect', resolve))
      if (together) plain.cork()
      plain.write('PROXY TCP4 192.0.2.7 192.0.2.25 4711 465\r\n')
      const secure = connectTls({ socket: plain, rejectUnauthorized: false })
      if (together) setImmediate(() => plain.uncork())
      await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
      await replay(
        secure,
        `${hello}
        C: MAIL FROM:<alice@crepes.fr> REQUIRETLS
        S: 250 2.1.0 Originator ok
        C: RCPT TO:<bob@hamburger.edu>
        S: 250 2.1.5 Recipient ok
        C: DATA
        S: 354 <…>
        C: TLS-Required: No
        C:
        C: .
        S: 250 2.0.0 <…>
      `,
      )
      const [text] = await own.inbox('bob@hamburger.edu')
      assert.match(text!, /from crepes\.fr \(\[192\.0\.2\.7\]\)[\s\S]*with\s+ESMTPS\s+id/)
    })
  }
})
