/** Messages that nodemailer signs, as many programs in Node do. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { verifyMessage, withCrlf } from '../verify-fixture.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const record = `v=DKIM1; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`

test('a message with attachments, signed by nodemailer, verifies', async () => {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const sent = await transport.sendMail({
    from: 'Älice <alice@crepes.example>',
    to: 'bob@hamburger.example',
    subject: 'Crêpes  and   ketchup, '.repeat(6),
    text: 'Do you like ketchup? \n\tI do.  \n\n\n',
    html: '<p>Do you  like\tketchup?</p>\n',
    attachments: [{ filename: 'crêpe.bin', content: Buffer.alloc(100_000, 0x20) }],
    dkim: {
      domainName: 'crepes.example',
      keySelector: 'node',
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  })
  const message = withCrlf((sent.message as unknown as Buffer).toString('latin1'))
  const { dkim } = await verifyMessage(message, { 'node._domainkey.crepes.example': record })
  assert.deepEqual(
    dkim.map(({ result, reason, domain }) => ({ result, reason, domain })),
    [{ result: 'pass', reason: null, domain: 'crepes.example' }],
  )
})
