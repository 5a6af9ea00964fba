import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brief, message, talk } from './client-fixture.ts'
import type { MailAsks } from './message.ts'

const nothing: MailAsks = { requireTls: false, priority: 0, deliverBy: null, binary: false }

test('what MAIL asks for is said to a server that offers it', () =>
  talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250-MT-PRIORITY MIXER
    S: 250 DELIVERBY 30
    C: MAIL FROM:<alice@crepes.example> MT-PRIORITY=-3 BY=60;RT
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x
    C: .
    S: 250 ok
    C: MAIL FROM:<alice@crepes.example> MT-PRIORITY=0 BY=-5;N
    S: 451 4.3.0 Later
    C: QUIT
    S: 221 Bye
  `,
    async (client) => {
      const asks = { ...nothing, priority: -3, deliverBy: { seconds: 60, mode: 'R', trace: true } } as const
      await client.send(message('x\n', { asks }))
      const late = { ...nothing, deliverBy: { seconds: -5, mode: 'N', trace: false } } as const
      await client.send(message('x\n', { asks: late }))
      const tooLittle = { ...nothing, deliverBy: { seconds: 29, mode: 'R', trace: false } } as const
      const result = await client.send(message('x\n', { asks: tooLittle }))
      assert.deepEqual(brief(result), { 'bob@hamburger.example': 'permanent mail 5.4.7' })
    },
  ))

test('binary mail goes in chunks, with its lines as they are, RFC 3030 §4.2', () =>
  talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250-CHUNKING
    S: 250 BINARYMIME
    C: MAIL FROM:<alice@crepes.example> BODY=BINARYMIME
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 250 ok
    C: BDAT 4
    C: A:
    S: 250 4 octets
    C: BDAT 9 LAST
    C: .x
    C: .y\x00
    S: 250 2.0.0 taken
    C: QUIT
    S: 221 Bye
  `,
    async (client) => {
      const mail = message('.x\n.y\0\n', { prefix: 'A:\r\n', asks: { ...nothing, binary: true } })
      const result = await client.send(mail)
      assert.deepEqual(brief(result), { 'bob@hamburger.example': 'delivered end-of-data 2.0.0' })
      assert.equal(client.transactions, 1)
    },
  ))

test('a server that refuses a chunk is not sent the rest', () =>
  talk(
    `
    S: 220 mx
    C: EHLO crepes.example
    S: 250-mx
    S: 250-CHUNKING
    S: 250 BINARYMIME
    C: MAIL FROM:<alice@crepes.example> BODY=BINARYMIME
    S: 250 ok
    C: RCPT TO:<bob@hamburger.example>
    S: 250 ok
    C: BDAT 4
    C: A:
    S: 452 4.3.1 Full
    C: (close)
  `,
    async (client) => {
      const result = await client.send(
        message('x\n', { prefix: 'A:\r\n', asks: { ...nothing, binary: true } }),
      )
      assert.deepEqual(brief(result), { 'bob@hamburger.example': 'temporary data 4.3.1' })
      assert.equal(client.usable, false)
    },
  ))
