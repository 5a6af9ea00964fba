import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Draft, composeMessage, replyDraft } from './compose.ts'
import { parseDate } from './date.ts'
import { decodeEncodedWords } from './encoded-word.ts'
import { scanMessage } from './scan.ts'
import { attachments, partContent, plainTextOf, textParts, partText } from './text.ts'

const ADA = { name: 'Ada Lövelace', mailbox: 'ada', host: 'client.example' }
const BOB = { name: null, mailbox: 'bob', host: 'x.example' }
const CAROL = { name: 'Carol, "C."', mailbox: 'carol', host: 'y.example' }

const DRAFT: Draft = {
  from: ADA,
  to: [BOB],
  cc: [],
  bcc: [],
  subject: 'Hello',
  text: 'Hello\n',
  attachments: [],
  inReplyTo: null,
  references: [],
  epochMs: Date.UTC(2024, 0, 1),
  messageId: '<1@client.example>',
  boundarySeed: '0123456789abcdef',
}

test('a short letter is a short message, the same each time', async () => {
  const octets = await composeMessage(DRAFT)
  assert.equal(
    Buffer.from(octets).toString(),
    'Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nFrom: Ada =?utf-8?Q?L=C3=B6velace?= <ada@client.example>\r\n' +
      'To: bob@x.example\r\nSubject: Hello\r\nMessage-ID: <1@client.example>\r\nContent-Transfer-Encoding: 7bit\r\n' +
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n',
  )
})

test('what is composed is found again: people, subject, text, HTML and files', async () => {
  const word = fc
    .string({ unit: 'grapheme', maxLength: 60 })
    .map((text) => text.replace(/[\x00-\x1f\x7f]/g, '').toWellFormed())
  const file = fc.record({
    name: fc.stringMatching(/^[a-zäß0-9 ]{0,20}[a-z]\.[a-z]{3}$/),
    type: fc.constantFrom('application/pdf', 'image/png', 'text/csv'),
    content: fc.uint8Array({ maxLength: 200 }),
  })
  const draft = fc.record({
    subject: word,
    text: fc.array(word, { maxLength: 6 }).map((lines) => lines.map((line) => line.trimEnd()).join('\n')),
    html: fc.option(fc.constant('<p>Grüße</p>')),
    attachments: fc.array(file, { maxLength: 3 }),
    to: fc.subarray([ADA, BOB, CAROL]),
    bcc: fc.subarray([BOB, CAROL]),
  })
  await fc.assert(
    fc.asyncProperty(draft, async ({ html, ...draft }) => {
      const octets = await composeMessage({ ...DRAFT, ...draft, ...(html === null ? {} : { html }) })
      const scan = scanMessage(octets)
      const { envelope, root } = scan
      assert.deepEqual(
        [scan.bareLf, scan.bareCr, scan.nul, scan.eightBit, scan.overLimit],
        [false, false, false, false, null],
      )
      assert.ok(
        Buffer.from(octets)
          .toString('latin1')
          .split('\r\n')
          .every((line) => line.length <= 998),
      )
      // Other spaces than ASCII's are text.
      assert.equal(decodeEncodedWords(envelope.subject ?? ''), draft.subject.replace(/^ +| +$/g, ''))
      const decoded = (list: typeof envelope.to) =>
        list.map((a) => ({ ...a, name: a.name && decodeEncodedWords(a.name) }))
      assert.deepEqual(decoded(envelope.from), [ADA])
      assert.deepEqual(decoded(envelope.to), draft.to)
      assert.deepEqual(decoded(envelope.bcc), draft.bcc)
      assert.equal(parseDate(envelope.date ?? '')?.epochMs, DRAFT.epochMs)
      // Without a text of its own a letter has only its HTML.
      const text = draft.text === '' && html !== null ? 'Grüße' : draft.text
      assert.equal(plainTextOf(octets, root).trimEnd(), text.trimEnd())
      if (html !== null) {
        const part = textParts(root, 'html').at(-1)
        assert.equal(part && partText(octets, part).trim(), html)
      }
      const found = attachments(root)
      assert.deepEqual(
        found.map(({ name, type }) => [name, type]),
        draft.attachments.map(({ name, type }) => [name, type]),
      )
      found.forEach(({ part }, index) => {
        assert.deepEqual(new Uint8Array(partContent(octets, part)), draft.attachments[index]?.content)
      })
    }),
    { numRuns: 150 },
  )
})

test('no text of a draft can begin a header field', async () => {
  const evil = 'x\r\nBcc: evil@client.example\r\n\r\nbody\n\0'
  const octets = await composeMessage({
    ...DRAFT,
    from: { name: evil, mailbox: evil, host: evil },
    subject: evil,
    messageId: `<${evil}>`,
    inReplyTo: evil,
    references: [evil, `<${evil}>`],
    boundarySeed: evil,
    attachments: [{ name: evil, type: `text/plain\r\nBcc: ${evil}`, content: Buffer.from('x') }],
  })
  const scan = scanMessage(octets)
  const names = scan.headerFields.map(({ name }) => name)
  assert.ok(!names.includes('Bcc'), names.join())
  assert.equal(scan.root.parts.length, 2)
})

test('files and addresses of the network are never opened for a draft', async () => {
  const octets = await composeMessage({ ...DRAFT, text: '', html: '<img src="file:///etc/passwd">' })
  assert.ok(!Buffer.from(octets).includes('root:'))
})

test('a reply goes to the sender, under the same subject, into the same thread, with the letter quoted', () => {
  const original = scanMessage(
    Buffer.from(
      'From: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\r\nTo: bob@x.example, carol@y.example\r\nCc: ada@client.example, j@x.example\r\n' +
        'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <2@x>\r\nReferences: <0@x> <1@x>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n',
    ),
  )
  const letter = { envelope: original.envelope, text: 'Hi\n\n> earlier\nBye\n' }
  const reply = replyDraft(letter, 'Thanks!', BOB)
  assert.deepEqual(reply.to, [{ name: 'Jörg', mailbox: 'j', host: 'x.example' }])
  assert.deepEqual(reply.cc, [])
  assert.equal(reply.subject, 'Re: Grüße')
  assert.equal(reply.inReplyTo, '<2@x>')
  assert.deepEqual(reply.references, ['<0@x>', '<1@x>', '<2@x>'])
  assert.equal(
    reply.text,
    'Thanks!\n\nOn Mon, 1 Jan 2024 00:00:00 +0000, Jörg wrote:\n> Hi\n>\n>> earlier\n> Bye\n',
  )
  const toAll = replyDraft(letter, '', BOB, true)
  assert.deepEqual(
    toAll.cc.map(({ mailbox }) => mailbox),
    ['carol', 'ada'],
  )
})

test('a reply to a reply keeps its subject, to a list goes where Reply-To says, to oneself where the letter went', () => {
  const envelope = (text: string) => scanMessage(Buffer.from(text.replaceAll('\n', '\r\n'))).envelope
  const list = envelope(
    'From: a@b\nReply-To: list@x.example\nSubject: RE: x\nIn-Reply-To: <1@x>\nMessage-ID: <2@x>\n\n',
  )
  const reply = replyDraft({ envelope: list, text: '' }, 'ok', BOB)
  assert.equal(reply.subject, 'RE: x')
  assert.deepEqual(
    reply.to.map(({ mailbox }) => mailbox),
    ['list'],
  )
  assert.deepEqual(reply.references, ['<1@x>', '<2@x>'])
  const own = envelope('From: bob@x.example\nTo: carol@y.example\n\n')
  assert.deepEqual(
    replyDraft({ envelope: own, text: '' }, 'ok', BOB).to.map(({ mailbox }) => mailbox),
    ['carol'],
  )
})
