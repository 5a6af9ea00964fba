/** Where a message ends, and what of it could be taken for a command: DATA and BDAT. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataReader } from '../../src/smtp/wire/data-reader.ts'
import { dotStuffed } from './dot-stuffed.ts'
import { attackDoor, type Case, hello, mail, quit, rcpt, toBdat, toData } from './case.ts'

/** A whole second transaction, as it would be smuggled. */
const second = `${mail}${rcpt}DATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n`
const letter = 'Subject: first\r\n\r\ntext'

/** Ends that some server somewhere has taken for one; only the first is. */
const ends: readonly (readonly [id: string, octets: string, codes: string, kept: number])[] = [
  ['SMUG-01', '\r\n.\r\n', '220 250 250 250 354 250 250 250 354 250 221', 2],
  ['SMUG-02', '\n.\n', '220 250 250 250 354 550', 0],
  ['SMUG-03', '\n.\r\n', '220 250 250 250 354 550', 0],
  ['SMUG-04', '\r\n.\n', '220 250 250 250 354 550', 0],
  ['SMUG-05', '\r.\r', '220 250 250 250 354 550 221', 0],
  ['SMUG-06', '\r.\r\n', '220 250 250 250 354 550 221', 0],
  ['SMUG-07', '\r\n.\r', '220 250 250 250 354 550 221', 0],
  ['SMUG-08', '\r\n.\r\r\n', '220 250 250 250 354 550 221', 0],
  ['SMUG-09', '\r\n\0.\r\n', '220 250 250 250 354 550 221', 0],
  ['SMUG-10', '\r\n.\0\r\n', '220 250 250 250 354 550 221', 0],
  ['SMUG-11', '\r\0\n.\r\n', '220 250 250 250 354 550', 0],
  ['SMUG-12', '\r\n.\r\0\n', '220 250 250 250 354 550 221', 0],
  ['SMUG-13', '\r\n.\x85', '220 250 250 250 354 250 221', 1],
  ['SMUG-14', '\x0b.\x0c\r\n', '220 250 250 250 354 250 221', 1],
  ['SMUG-15', '\r\n. \r\n', '220 250 250 250 354 250 221', 1],
  ['SMUG-16', '\r\n..\r\n', '220 250 250 250 354 250 221', 1],
  ['SMUG-17', '\r\n .\r\n', '220 250 250 250 354 250 221', 1],
  ['SMUG-18', '\r\n\u00ff.\r\n', '220 250 250 250 354 250 221', 1],
  ['SMUG-19', '\n\n.\n\n', '220 250 250 250 354 550', 0],
]

attackDoor('Ends of data', {}, [
  ...ends.map(
    ([id, octets, codes, kept]): Case => ({
      ...{ id, codes, kept },
      what: `${JSON.stringify(octets)} before a second transaction`,
      // Where the first end is none, the second one ends all of it.
      send: `${toData}${letter}${octets}${second}${quit}`,
    }),
  ),
  {
    id: 'SMUG-20',
    what: 'a dot as the very first line is an empty message, and no more',
    send: `${toData}.\r\n${quit}`,
    codes: '220 250 250 250 354 250 221',
    kept: 1,
  },
  {
    id: 'SMUG-21',
    what: 'a dot and LF as the very first line',
    send: `${toData}.\n${second}${quit}`,
    codes: '220 250 250 250 354 550',
  },
  {
    id: 'SMUG-22',
    what: 'two ends one after the other: the second one is a command that nobody knows',
    send: `${toData}${letter}\r\n.\r\n.\r\n${quit}`,
    codes: '220 250 250 250 354 250 500 221',
    kept: 1,
  },
  {
    id: 'SMUG-23',
    what: 'the end in six writes',
    send: [toData, 5, `${letter}\r`, '\n', '.', '\r', '\n', 6, quit],
    codes: '220 250 250 250 354 250 221',
    kept: 1,
  },
  {
    id: 'SMUG-24',
    what: 'a message after DATA was refused is commands that nobody knows, and never a message',
    send: `${hello}${mail}DATA\r\nSubject: x\r\n\r\nMAIL FROM:<evil@client.example>\r\n.\r\n${quit}`,
    codes: '220 250 250 503 500 500 503 500 221',
  },
])

/** Octets of a chunk that would be commands. */
const commands = `${mail}${rcpt}DATA\r\n`
const passesBy = (id: string, what: string, before: string, codes: string): Case => ({
  ...{ id, what },
  send: `${before}BDAT ${commands.length} LAST\r\n${commands}${quit}`,
  codes,
})
const refused = (id: string, argument: string): Case => ({
  ...{ id, what: `BDAT ${argument} has no size, so nothing behind it is read` },
  send: `${toBdat}BDAT ${argument}\r\n${second}${quit}`,
  codes: '220 250 250 250 501',
})

attackDoor('CHUNKING', { limits: { messageOctets: 10_000, errorsPerSession: 20, idleCommands: 30 } }, [
  passesBy('BDAT-01', 'before EHLO: its octets pass by', '', '220 503 221'),
  passesBy('BDAT-02', 'after HELO', 'HELO client.example\r\n', '220 250 503 221'),
  passesBy('BDAT-03', 'before MAIL', hello, '220 250 503 221'),
  passesBy('BDAT-04', 'before RCPT', hello + mail, '220 250 250 503 221'),
  passesBy(
    'BDAT-05',
    'after a recipient that was refused',
    `${hello}${mail}RCPT TO:<nobody@hamburger.edu>\r\n`,
    '220 250 250 550 503 221',
  ),
  ...[
    '-1',
    '+5',
    '0x10',
    '1e3',
    '5.0',
    ' 5',
    '99999999999999999999',
    '5 LAST LAST',
    '5 last x',
    '',
    'LAST',
  ].map((argument, index) => refused(`BDAT-${String(6 + index).padStart(2, '0')}`, argument)),
  {
    id: 'BDAT-17',
    what: 'a size beyond all bounds is not waited for',
    send: `${toBdat}BDAT 999999999999999 LAST\r\n${second}`,
    codes: '220 250 250 250 552',
  },
  {
    id: 'BDAT-18',
    what: 'a size a little over the bound passes by, and the session goes on',
    send: `${toBdat}BDAT 10001 LAST\r\n${'NOOP\r\n'.repeat(1_666)}12345${quit}`,
    codes: '220 250 250 250 552 221',
  },
  {
    id: 'BDAT-19',
    what: 'LAST with nothing is an empty message',
    send: `${toBdat}BDAT 0 LAST\r\n${quit}`,
    codes: '220 250 250 250 250 221',
    kept: 1,
  },
  {
    id: 'BDAT-20',
    what: 'LAST twice: the second finds no transaction',
    send: `${toBdat}BDAT 5 LAST\r\nx: y\nBDAT 6 LAST\r\nNOOP\r\n${quit}`,
    codes: '220 250 250 250 550 503 221',
  },
  {
    id: 'BDAT-21',
    what: 'DATA in the middle of chunks is refused, and what follows it is no message',
    send: `${toBdat}BDAT 6\r\nx: y\r\nDATA\r\nSubject: evil\r\n.\r\nBDAT 0 LAST\r\n${quit}`,
    codes: '220 250 250 250 250 503 500 500 250 221',
    kept: 1,
    nowhere: /evil/,
  },
  {
    id: 'BDAT-22',
    what: 'MAIL, RCPT and AUTH in the middle of chunks change nothing',
    send: `${toBdat}BDAT 6\r\nx: y\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<carol@hamburger.edu>\r\nBDAT 0 LAST\r\n${quit}`,
    codes: '220 250 250 250 250 503 503 250 221',
    kept: 1,
    copy: /^Return-Path: <ada@client\.example>/,
  },
  {
    id: 'BDAT-23',
    what: 'an end of DATA inside a chunk is text',
    send: `${toBdat}BDAT 20 LAST\r\nx: y\r\n\r\na\r\n.\r\nNOOP\r\n${quit}`,
    codes: '220 250 250 250 250 221',
    kept: 1,
    copy: /\r\n\.\r\nNOOP\r\n$/,
  },
  {
    id: 'BDAT-24',
    what: 'a CR at the end of one chunk and an LF at the beginning of the next are a line end',
    send: `${toBdat}BDAT 5\r\nx: y\rBDAT 6 LAST\r\n\n\r\nhi\n${quit}`.replace('hi\n', 'hi!'),
    codes: '220 250 250 250 250 250 221',
    kept: 1,
  },
  {
    id: 'BDAT-25',
    what: 'a bare LF over two chunks is found',
    send: `${toBdat}BDAT 4\r\nx: yBDAT 3 LAST\r\n\nhi${quit}`,
    codes: '220 250 250 250 250 550 221',
  },
  {
    id: 'BDAT-26',
    what: 'chunks after one that did not fit pass by',
    send: `${toBdat}BDAT 9000\r\n${'x'.repeat(9_000)}BDAT 9000\r\n${'y'.repeat(9_000)}BDAT ${commands.length} LAST\r\n${commands}${quit}`,
    codes: '220 250 250 250 250 552 503 221',
  },
  {
    id: 'BDAT-27',
    what: 'chunks of nothing are asked for no more than other commands of nothing',
    send: `${toBdat}${'BDAT 0\r\n'.repeat(100)}${quit}`,
    codes: `220 250 250 250 ${'250 '.repeat(29)}421`,
  },
  {
    id: 'BDAT-28',
    what: 'one octet over the size is a command of its own',
    send: `${toBdat}BDAT 6 LAST\r\nx: y\r\nXNOOP\r\n${quit}`,
    codes: '220 250 250 250 250 500 221',
    kept: 1,
  },
])

/** As the server would read it from one write. */
function readWhole(wire: Buffer, cuts: readonly number[]): { text: string; state: string; rest: string } {
  const reader = new DataReader()
  let text = ''
  let from = 0
  for (const to of [...cuts, wire.length]) {
    const { chunks, state, rest } = reader.push(wire.subarray(from, to))
    for (const chunk of chunks) text += Buffer.from(chunk).toString('latin1')
    if (state !== 'more')
      return { text, state, rest: Buffer.from(rest).toString('latin1') + wire.toString('latin1', to) }
    from = to
  }
  return { text, state: 'more', rest: '' }
}

test('SMUG-25 every sequence of up to six of CR, LF, dot, NUL and a letter reads the same over every two cuts', () => {
  const alphabet = ['\r', '\n', '.', '\0', 'a']
  let cases = 0
  for (let length = 1; length <= 6; length++) {
    for (let number = 0; number < alphabet.length ** length; number++) {
      let text = ''
      for (let left = number, i = 0; i < length; i++, left = Math.floor(left / 5)) text += alphabet[left % 5]
      const wire = Buffer.from(`${text}\r\n.\r\n`, 'latin1')
      const whole = readWhole(wire, [])
      // Only CRLF.CRLF ends it, and the first one does; `ambiguous` ends the connection.
      const at = `\r\n${wire.toString('latin1')}`.indexOf('\r\n.\r\n')
      if (whole.state === 'end')
        assert.equal(whole.rest, wire.toString('latin1').slice(at + 3), JSON.stringify(text))
      else assert.match(`\r\n${text}\r\n.\r\n`.slice(0, at + 5), /\n\.\r?\n/)
      for (let first = 0; first <= Math.min(wire.length, length + 3); first += 1 + (number % 2)) {
        const second = Math.min(wire.length, first + 1 + (number % 3))
        const cut = readWhole(wire, [first, second])
        assert.equal(cut.state, whole.state, JSON.stringify([text, first, second]))
        if (whole.state === 'end') assert.deepEqual([cut.text, cut.rest], [whole.text, whole.rest])
        cases++
      }
    }
  }
  assert.ok(cases > 60_000)
})

/** Outbound: whatever a message holds, what our client writes has one end, the last five octets. */
const outgoing: readonly (readonly [id: string, message: string])[] = [
  ['OUT-01', 'a\r\n.\r\nMAIL FROM:<evil@x.example>\r\n'],
  ['OUT-02', 'a\r.\r\nMAIL FROM:<evil@x.example>\r\n'],
  ['OUT-03', 'a\n.\nMAIL FROM:<evil@x.example>\n'],
  ['OUT-04', 'a\n.\r\nMAIL\r\n'],
  ['OUT-05', 'a\r\n.\nMAIL\r\n'],
  ['OUT-06', 'a\r.\rMAIL\r'],
  ['OUT-07', '.\r\n'],
  ['OUT-08', '.'],
  ['OUT-09', 'a\r\n.'],
  ['OUT-10', 'a\r'],
  ['OUT-11', 'a\r\r\n.\r\r\n.\r\n'],
  ['OUT-12', ''],
]

for (const [id, message] of outgoing) {
  test(`${id} our client sends ${JSON.stringify(message)} with one end, however it is cut`, () => {
    for (let cut = 0; cut <= message.length; cut++) {
      const wire = dotStuffed([message.slice(0, cut), message.slice(cut)])
      assert.equal(`\r\n${wire}`.indexOf('\r\n.\r\n'), wire.length - 3, JSON.stringify(wire))
      assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/)
      // And for a server that takes other ends: no dot stands alone between any two line ends.
      assert.equal(wire.slice(0, -3).match(/(?:^|[\r\n])\.[\r\n]/), null)
    }
  })
}
