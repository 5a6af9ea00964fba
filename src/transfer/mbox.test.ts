/** Reading and writing mboxes, without files. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Marks } from './keywords.ts'
import { MboxPacker } from './mbox-pack.ts'
import { readMbox } from './mbox-reader.ts'
import { MboxUnpacker, type Quoting } from './mbox-unpack.ts'

interface Read extends Marks {
  readonly text: string
  readonly date: number | null
  readonly noMessage: string | null
}

interface Whole {
  readonly messages: readonly Read[]
  readonly damaged: readonly (readonly [number, number])[]
  readonly ends: readonly number[]
}

async function read(
  mbox: string | Buffer,
  chunk = 64,
  quoting: Quoting = 'mboxrd',
  from = 0,
): Promise<Whole> {
  const octets = typeof mbox === 'string' ? Buffer.from(mbox, 'latin1') : mbox
  const messages: Read[] = []
  const damaged: [number, number][] = []
  const ends: number[] = []
  let unpacker = new MboxUnpacker(quoting)
  let pieces: Buffer[] = []
  let date: number | null = null
  const readAt = async (position: number, count: number) => octets.subarray(position, position + count)
  for await (const piece of readMbox(readAt, from, chunk)) {
    if (piece.kind === 'damaged') damaged.push([piece.offset, piece.end])
    else if (piece.kind === 'message') {
      unpacker = new MboxUnpacker(quoting)
      pieces = []
      date = piece.from.date
    } else if (piece.kind === 'lines')
      pieces.push(...[...unpacker.push(piece.lines)].map((one) => Buffer.from(one)))
    else {
      const { marks, noMessage } = unpacker.fields
      messages.push({ ...marks, text: Buffer.concat(pieces).toString('latin1'), date, noMessage })
      ends.push(piece.end)
    }
  }
  return { messages, damaged, ends }
}

const from = 'From ada@client.example Thu Nov  6 10:11:12 2025'
const texts = async (mbox: string, quoting?: Quoting) =>
  (await read(mbox, 64, quoting)).messages.map(({ text }) => text)

test('messages end at From lines, wherever the file is cut into chunks', async () => {
  const mbox = `${from}\nSubject: a\n\none\n\n${from}\nSubject: b\n\ntwo\n\n\n${from}\nSubject: c\n\nthree`
  const wanted = ['Subject: a\r\n\r\none\r\n', 'Subject: b\r\n\r\ntwo\r\n\r\n', 'Subject: c\r\n\r\nthree']
  for (let chunk = 1; chunk < mbox.length + 2; chunk++) {
    const { messages, damaged, ends } = await read(mbox, chunk)
    assert.deepEqual(
      messages.map(({ text }) => text),
      wanted,
      `chunks of ${chunk}`,
    )
    assert.deepEqual(damaged, [])
    assert.equal(ends.at(-1), mbox.length)
  }
})

test('each end is where reading can go on', async () => {
  const mbox = `${from}\nA: 1\n\nx\n\n${from}\nB: 2\n\ny\n\n${from}\nC: 3\n\nz\n`
  const { messages, ends } = await read(mbox)
  for (const [i, end] of ends.entries()) {
    assert.deepEqual((await read(mbox, 64, 'mboxrd', end)).messages, messages.slice(i + 1))
  }
})

test('oddities of mboxes', async () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['an empty file', '', []],
    [
      'CRLF all over',
      `${from}\r\nA: 1\r\n\r\nx\r\n\r\n${from}\r\nB: 2\r\n\r\ny\r\n\r\n`,
      ['A: 1\r\n\r\nx\r\n', 'B: 2\r\n\r\ny\r\n'],
    ],
    ['LF after the From line, CRLF in the message', `${from}\nA: 1\r\n\r\nx\r\n\n`, ['A: 1\r\n\r\nx\r\n']],
    [
      'no empty line before From',
      `${from}\nA: 1\n\nx\n${from}\nB: 2\n\ny\n`,
      ['A: 1\r\n\r\nx\r\n', 'B: 2\r\n\r\ny\r\n'],
    ],
    [
      'unquoted From in a text',
      `${from}\nA: 1\n\nx\n\nFrom here on\n\nit goes\n`,
      ['A: 1\r\n\r\nx\r\n\r\nFrom here on\r\n\r\nit goes\r\n'],
    ],
    [
      'a dated From line in a text without empty line',
      `${from}\nA: 1\n\nx\n${from}\nand so on\n`,
      [`A: 1\r\n\r\nx\r\n${from}\r\nand so on\r\n`],
    ],
    [
      'mboxrd quotes',
      `${from}\nA: 1\n\n>From a\n>>From b\n>Frombc\n> From d\n x>From e\n`,
      ['A: 1\r\n\r\nFrom a\r\n>From b\r\n>Frombc\r\n> From d\r\n x>From e\r\n'],
    ],
    ['no header', `${from}\n\nbody\n`, ['\r\nbody\r\n']],
    ['no body', `${from}\nA: 1\n\n`, ['A: 1\r\n']],
    ['an empty message', `${from}\n\n${from}\nA: 1\n\n`, ['', 'A: 1\r\n']],
    ['empty lines before the first', `\n\n${from}\nA: 1\n\nx\n`, ['A: 1\r\n\r\nx\r\n']],
  ]
  for (const [what, mbox, wanted] of cases) assert.deepEqual(await texts(mbox), wanted, what)
  assert.deepEqual(await texts(`${from}\nA: 1\n\n>From a\n>>From b\n`, 'mboxo'), [
    'A: 1\r\n\r\nFrom a\r\n>>From b\r\n',
  ])
})

test('what stands before the first message is damage, not mail', async () => {
  const { messages, damaged } = await read(`garbage\nmore\n\n${from}\nA: 1\n\nx\n`, 8)
  assert.deepEqual(damaged, [[0, 14]])
  assert.equal(messages.length, 1)
})

test('fields of the mbox become flags and go', async () => {
  const cases: readonly (readonly [string, number, readonly string[]])[] = [
    ['Status: RO', 1, []],
    ['Status: O\nX-Status: AF', 6, []],
    ['STATUS:R\nx-status: DT', 25, []],
    ['X-Keywords: $Label1 work  \nStatus: U', 0, ['$Label1', 'work']],
    ['X-Keywords: one\n two', 0, ['one']],
    ['X-Keywords: bad(one {x} ok OK', 0, ['ok']],
    [
      'X-Mozilla-Status: 0007\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label2 junk',
      7,
      ['$label2', 'junk'],
    ],
    ['X-Mozilla-Status: 1001', 1, ['$Forwarded']],
    ['X-UID: 17\nX-IMAPbase: 123 17 work', 0, []],
  ]
  for (const [fields, flags, keywords] of cases) {
    const [message] = (await read(`${from}\nSubject: a\n${fields}\nTo: b\n\nStatus: in the text\n`)).messages
    assert.equal(message?.text, 'Subject: a\r\nTo: b\r\n\r\nStatus: in the text\r\n', fields)
    assert.deepEqual([message?.flags, message?.keywords], [flags, keywords], fields)
  }
})

test('what a program keeps in the file beside mail is not mail', async () => {
  const uw = `${from}\nX-IMAP: 1234 5\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nThis text\n\n`
  const gone = `${from}\nX-Mozilla-Status: 0009\nSubject: x\n\ny\n`
  const { messages } = await read(uw + gone)
  assert.deepEqual(
    messages.map(({ noMessage }) => noMessage),
    ['data of UW-IMAP about the mailbox', 'deleted in Thunderbird, not compacted'],
  )
})

test('a line longer than any chunk passes', async () => {
  const line = 'x'.repeat(3_000_000)
  const { messages } = await read(`${from}\nA: 1\n\n${line}\n\n${from}\nB: 2\n\n`, 1_048_576)
  assert.equal(messages[0]?.text.length, line.length + 10)
  assert.equal(messages.length, 2)
})

function pack(message: Buffer, marks: Marks, date: number, cuts: readonly number[] = []): Buffer {
  const packer = new MboxPacker({ ...marks, internalDate: date, terminated: message.at(-1) === 10 })
  const ends = [...cuts.map((cut) => cut % (message.length + 1)), message.length].sort((a, b) => a - b)
  const out: Uint8Array[] = []
  // Its output is gone with the next call.
  const keep = (pieces: Iterable<Uint8Array>) => {
    for (const piece of pieces) out.push(Buffer.from(piece))
  }
  for (const [i, end] of ends.entries()) keep(packer.push(message.subarray(ends[i - 1] ?? 0, end)))
  keep(packer.finish())
  return Buffer.concat(out)
}

const words = [
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  'From ',
  '>',
  'Status: R',
  'X-Status: A',
  'X-Posthorn-Kept-',
  'Subject: a',
  ' folded',
  ':',
  from,
  'ü',
  '\0',
]
const message = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 })
  .map((all) => Buffer.from(all.join(''), 'latin1'))
const keyword = fc.constantFrom('$Forwarded', 'work', 'x', '$Label1', 'a.b')
const marked = fc.record({
  message,
  flags: fc.nat(31),
  keywords: fc.uniqueArray(keyword),
  date: fc.integer({ min: 0, max: 4_000_000_000 }),
  cuts: fc.array(fc.nat(100), { maxLength: 4 }),
})

test('every message comes back from an mbox as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(marked, { maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      async (all, chunk) => {
        const mbox = Buffer.concat(all.map((one) => pack(one.message, one, one.date * 1_000, one.cuts)))
        const wanted = all.map(({ message, flags, keywords, date }) => ({
          ...{ flags, keywords, date: date * 1_000, noMessage: null },
          text: message.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'),
        }))
        assert.deepEqual((await read(mbox, chunk)).messages, wanted)
      },
    ),
    { numRuns: 3_000 },
  )
})
