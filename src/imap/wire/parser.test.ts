import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from './command.ts'
import { formatSection } from './fetch.ts'
import { Framing, type FramedCommand } from './framing.ts'
import { announcesMessage } from './append.ts'
import { parseCommand } from './parser.ts'

const bounds = { imapNesting: 50, imapSequenceRanges: 10_000 }

function frame(text: string): FramedCommand {
  const framing = new Framing(65_536)
  framing.push(Buffer.from(`${text}\r\n`, 'latin1'))
  for (;;) {
    const event = framing.next()
    if (event.kind === 'command') return event.command
    if (event.kind === 'literal') announcesMessage(event.command) ? framing.stream() : framing.hold()
    else if (event.kind !== 'chunk') throw new Error(event.kind)
  }
}

function parse(text: string): Command {
  const parsed = parseCommand(frame(text), bounds)
  if (parsed.kind === 'refused') throw parsed.refusal
  return parsed.command
}

const plainList = {
  name: 'LIST',
  reference: '',
  extended: false,
  select: new Set<never>(),
  returned: new Set<never>(),
  status: [],
} as const

const accepted: [string, Command][] = [
  ['a capability', { name: 'CAPABILITY' }],
  ['a login mrc secret', { name: 'LOGIN', login: 'mrc', password: 'secret' }],
  [
    'a LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man',
    { name: 'LOGIN', login: 'FRED FOOBAR', password: 'fat man' },
  ],
  ['a LOGIN "a\\"b\\\\" ""', { name: 'LOGIN', login: 'a"b\\', password: '' }],
  ['a AUTHENTICATE PLAIN =', { name: 'AUTHENTICATE', mechanism: 'PLAIN', initial: '=' }],
  ['a SELECT inbox', { name: 'SELECT', mailbox: 'INBOX' }],
  ['a LIST "" %', { ...plainList, patterns: ['%'] }],
  [
    'a list (Subscribed remote) "x/" (% {1}\r\n*) return (status (unseen) children)',
    {
      ...plainList,
      reference: 'x/',
      patterns: ['%', '*'],
      extended: true,
      select: new Set(['SUBSCRIBED', 'REMOTE']),
      returned: new Set(['STATUS', 'CHILDREN']),
      status: ['UNSEEN'],
    },
  ],
  ['a CREATE x (USE ())', { name: 'CREATE', mailbox: 'x', use: [] }],
  ['a LSUB "#news." "comp.mail.*"', { name: 'LSUB', reference: '#news.', pattern: 'comp.mail.*' }],
  [
    'a STATUS blurdybloop (UIDNEXT MESSAGES)',
    { name: 'STATUS', mailbox: 'blurdybloop', items: ['UIDNEXT', 'MESSAGES'] },
  ],
  ['a CREATE Sent (USE (\\Sent))', { name: 'CREATE', mailbox: 'Sent', use: ['\\Sent'] }],
  ['a RENAME x {1+}\r\ny', { name: 'RENAME', mailbox: 'x', newName: 'y' }],
  [
    'a APPEND saved-messages (\\Seen $Forwarded) "17-Jul-1996 02:44:25 -0700" {3}\r\nabc',
    {
      name: 'APPEND',
      mailbox: 'saved-messages',
      flags: 1,
      keywords: ['$Forwarded'],
      internalDate: Date.UTC(1996, 6, 17, 9, 44, 25),
      octets: 3,
    },
  ],
  [
    'a APPEND {5}\r\ninbox {0+}\r\n',
    { name: 'APPEND', mailbox: 'INBOX', flags: 0, keywords: [], internalDate: null, octets: 0 },
  ],
  ['a LOGIN "\xc3\xa9" "\xe9\\""', { name: 'LOGIN', login: '\xc3\xa9', password: '\xe9"' }],
  ['a UID EXPUNGE 3:5', { name: 'EXPUNGE', set: [{ first: 3, last: 5 }] }],
  [
    'a STORE 2:4 +FLAGS.SILENT (\\Deleted)',
    {
      name: 'STORE',
      uid: false,
      set: [{ first: 2, last: 4 }],
      op: 'add',
      silent: true,
      flags: 8,
      keywords: [],
    },
  ],
  [
    'a UID STORE 1 FLAGS \\Seen Junk',
    {
      name: 'STORE',
      uid: true,
      set: [{ first: 1, last: 1 }],
      op: 'set',
      silent: false,
      flags: 1,
      keywords: ['Junk'],
    },
  ],
  [
    'a STORE 1 -FLAGS ()',
    {
      name: 'STORE',
      uid: false,
      set: [{ first: 1, last: 1 }],
      op: 'remove',
      silent: false,
      flags: 0,
      keywords: [],
    },
  ],
  ['a UID MOVE 1 Trash', { name: 'MOVE', uid: true, set: [{ first: 1, last: 1 }], mailbox: 'Trash' }],
  [
    'a FETCH 1 FAST',
    {
      name: 'FETCH',
      uid: false,
      set: [{ first: 1, last: 1 }],
      items: [{ kind: 'flags' }, { kind: 'internaldate' }, { kind: 'size' }],
    },
  ],
  [
    'a ID ("name" "sodr" "version" NIL)',
    {
      name: 'ID',
      fields: new Map([
        ['name', 'sodr'],
        ['version', null],
      ]),
    },
  ],
  [
    'a SEARCH CHARSET UTF-8 SUBJECT {6}\r\n\xc3\xa9t\xc3\xa9s',
    { name: 'SEARCH', uid: false, key: { kind: 'header', name: 'SUBJECT', text: 'étés' } },
  ],
  [
    'a UID SEARCH OR (SEEN 1:2) NOT LARGER 10 UID *',
    {
      name: 'SEARCH',
      uid: true,
      key: {
        kind: 'and',
        keys: [
          {
            kind: 'or',
            left: {
              kind: 'and',
              keys: [
                { kind: 'flag', bit: 1, set: true },
                { kind: 'sequence', set: [{ first: 1, last: 2 }] },
              ],
            },
            right: { kind: 'not', key: { kind: 'larger', octets: 10 } },
          },
          { kind: 'uid', set: [{ first: Number.POSITIVE_INFINITY, last: Number.POSITIVE_INFINITY }] },
        ],
      },
    },
  ],
]
for (const [text, command] of accepted) {
  test(`Reads ${text.replaceAll('\r\n', ' ')}`, () => assert.deepEqual(parse(text), command))
}

test('FETCH sections and partials are read and repeated', () => {
  const sections = [
    '',
    'HEADER',
    'TEXT',
    '1.2.MIME',
    '4.2.HEADER',
    '1',
    'HEADER.FIELDS (DATE FROM)',
    '3.HEADER.FIELDS.NOT (To)',
  ]
  for (const section of sections) {
    const command = parse(`a FETCH 1 (BODY[${section}]<0.2048> BODY.PEEK[${section.toLowerCase()}])`)
    assert.ok(command.name === 'FETCH')
    const [first, second] = command.items
    assert.ok(first?.kind === 'section' && second?.kind === 'section')
    assert.equal(first.label, `BODY[${section}]<0>`)
    assert.equal(formatSection(first.section), section)
    assert.deepEqual(
      [first.partial, first.peek, second.partial, second.peek],
      [{ offset: 0, octets: 2048 }, false, null, true],
    )
  }
})

const refusedTexts = [
  '',
  'a',
  'a ',
  ' a NOOP',
  '+ NOOP',
  'a+b NOOP',
  'a NOOP x',
  'a FROBNICATE',
  'a UID NOOP',
  'a UID',
  'a LOGIN x',
  'a LOGIN x y z',
  'a LOGIN "x y',
  'a LOGIN \xe9 y',
  'a LOGIN {1}\r\n\0 y',
  'a LOGIN ~{1+}\r\nx y',
  'a SELECT &',
  'a FETCH 1',
  'a FETCH 1 ()',
  'a FETCH 1 (UID',
  'a FETCH 1 BODY[',
  'a FETCH 1 BODY[MIME]',
  'a FETCH 1 BODY[0]',
  'a FETCH 1 BODY[1.]',
  'a FETCH 1 BODY[]<1.0>',
  'a FETCH 1 BODY[]<1>',
  'a FETCH 1 BODY.PEEK',
  'a FETCH 1 (ALL)',
  'a FETCH 1 constructor',
  `a FETCH 1 BODY[${'1.'.repeat(60)}1]`,
  'a FETCH x FLAGS',
  'a STORE 1 FLAGS',
  'a STORE 1 FLAGS \\Foo',
  'a STORE 1 FLAGS (\\Seen',
  'a STORE 1 *FLAGS ()',
  'a SEARCH',
  'a SEARCH ()',
  'a SEARCH NOT',
  'a SEARCH OR SEEN',
  'a SEARCH FROBNICATE',
  'a SEARCH BEFORE 31-Feb-2020',
  'a SEARCH CHARSET x-none ALL',
  `a SEARCH ${'('.repeat(60)}ALL${')'.repeat(60)}`,
  `a SEARCH ${'NOT '.repeat(60)}ALL`,
  'a SEARCH ALL)',
  'a SEARCH SUBJECT {1}\r\n\xff',
  'a APPEND x',
  'a APPEND x "17-Jul-1996 25:44:25 -0700" {1}\r\nx',
  'a APPEND x (\\Seen) x',
  'a STATUS x',
  'a STATUS x ()',
  'a STATUS x (FOO)',
  'a ID x',
  'a ID ("a")',
  'a ENABLE',
  'a\0 NOOP',
  'a NOOP\r',
  'a LIST "" "\r"',
  'a CREATE x (USE (Sent))',
  'a STORE 1 FLAGS (\\Bad)',
  'a STORE 1 +FLAGS (\\Recent)',
  'a APPEND x (\\Seen \\Recent) {1}\r\nx',
  `${'t'.repeat(300)} NOOP`,
]
for (const text of refusedTexts) {
  test(`Refuses ${JSON.stringify(text).slice(0, 60)}`, () => {
    assert.equal(parseCommand(frame(text), bounds).kind, 'refused')
  })
}
