/** Programs that are asked about mail and answer with too much, with nonsense, or with line ends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { defaultLimits } from '../../src/base/limits.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createClamavFilter } from '../../src/smtp/filter/clamav/filter.ts'
import type { SmtpFilter } from '../../src/smtp/filter/filter.ts'
import { testSurroundings } from '../../src/smtp/filter/filter-fixture.ts'
import { createHookFilter } from '../../src/smtp/filter/hook/filter.ts'
import { createHttpCaller } from '../../src/smtp/filter/http-call.ts'
import { KeeperPool } from '../../src/smtp/filter/keeper.ts'
import { createMilterFilter } from '../../src/smtp/filter/milter/filter.ts'
import { type Script, startMilter, uint32 } from '../../src/smtp/filter/milter/scripted-milter.ts'
import { createRspamdFilter } from '../../src/smtp/filter/rspamd/filter.ts'
import { type HttpScript, startHttp } from '../../src/smtp/filter/scripted-http.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { codesOf, converse, quit, toData } from './case.ts'

const common = { name: 'x', doors: ['smtp' as const], onFailure: 'tempfail' as const, maxOctets: 1_000_000 }
const around = testSurroundings()

/** Sends a letter past the filter. @returns Codes, all that was said, and what bob has. */
async function send(t: TestContext, filter: SmtpFilter) {
  const door = await openSmtpDoor({ door: { filters: [filter] }, limits: { checkTimeoutMs: 3_000 } })
  t.after(() => door.close())
  const heard = await converse(door, `${toData}Subject: first\r\nX-Old: 1\r\n\r\nbody\r\n.\r\n${quit}`)
  // Whatever the filter did, every line of what was said is a reply of ours, within the bounds of RFC 5321 §4.5.3.1.5.
  for (const line of heard.split('\r\n').slice(0, -1)) {
    assert.match(line, /^\d{3}[ -][\x20-\x7e]*$/)
    assert.ok(line.length <= 1_024)
  }
  const kept = await door.inbox('bob@hamburger.edu')
  // And every header is a header: Received of ours first, one empty line before the body.
  for (const letter of kept) {
    assert.match(letter, /^Return-Path: <ada@client\.example>\r\nReceived: from client/)
    assert.doesNotMatch(letter, /\r(?!\n)|(?<!\r)\n|\0/)
  }
  return { codes: codesOf(heard).slice(5).join(' '), heard, kept }
}

async function http(t: TestContext, script: HttpScript, make: (url: string) => SmtpFilter) {
  const server = await startHttp(script)
  t.after(() => server.close())
  return make(`http://127.0.0.1:${server.port}/`)
}

function hookAt(t: TestContext, url: string): SmtpFilter {
  const config = {
    ...{ ...common, url, timeoutMs: 1_000, requests: 2, stages: ['message' as const], secret: null },
    ...{ message: 'none' as const, answerOctets: 10_000 },
  }
  const caller = createHttpCaller(config, around)
  t.after(() => caller.close())
  const pool = new KeeperPool(1_000_000)
  return createHookFilter(config, { around, caller, pool, random: seededRandom(1), limits: defaultLimits })
}

function rspamdAt(t: TestContext, url: string): SmtpFilter {
  const config = { ...common, url, timeoutMs: 1_000, requests: 2, rejectScore: null, junkScore: null }
  const caller = createHttpCaller(config, around)
  t.after(() => caller.close())
  return createRspamdFilter(config, {
    around,
    caller,
    pool: new KeeperPool(1_000_000),
    limits: defaultLimits,
  })
}

/** Until the other side has had enough. */
const endless: HttpScript = (_heard, answer) => {
  const more = (): void => {
    if (answer.destroyed) return
    answer.write('x'.repeat(5_000))
    setImmediate(more)
  }
  more()
}

const json = (value: object): string => JSON.stringify(value)
const evil = 'x\r\nX-Evil: 1\r\n\r\nevil body\r\n.\r\nMAIL FROM:<evil@x.example>'
const hooks: readonly (readonly [
  id: string,
  what: string,
  answer: HttpScript,
  codes: string,
  kept: number,
])[] = [
  ['HOOK-01', 'no JSON', 'accept', '451 221', 0],
  ['HOOK-02', 'half of an object', '{"action":"acc', '451 221', 0],
  ['HOOK-03', 'a list', '[]', '451 221', 0],
  ['HOOK-04', 'an action of its own', json({ action: 'explode' }), '451 221', 0],
  ['HOOK-05', 'more than it may', json({ action: 'accept', x: 'x'.repeat(20_000) }), '451 221', 0],
  ['HOOK-06', 'lists one in the other', '['.repeat(9_000), '451 221', 0],
  [
    'HOOK-07',
    'line ends in its text',
    json({ action: 'reject', text: `no\r\n250 yes\r\n${evil}` }),
    '550 221',
    0,
  ],
  ['HOOK-08', 'a code of success', json({ action: 'reject', code: 250 }), '451 221', 0],
  ['HOOK-09', 'a code that is no number', json({ action: 'reject', code: '550\r\n250 ok' }), '451 221', 0],
  ['HOOK-10', 'a status that is none', json({ action: 'reject', status: '5.7.1\r\n250' }), '451 221', 0],
  [
    'HOOK-11',
    'control characters in its text',
    json({ action: 'reject', text: '\u001b[2J\u0000\u009b' }),
    '550 221',
    0,
  ],
  ['HOOK-12', 'line ends in a value', json({ addHeaders: [{ name: 'X-A', value: evil }] }), '250 221', 1],
  [
    'HOOK-13',
    'line ends in a name',
    json({ addHeaders: [{ name: 'X-A: 1\r\nX-Evil', value: '1' }] }),
    '451 221',
    0,
  ],
  ['HOOK-14', 'a blank in a name', json({ addHeaders: [{ name: 'X A', value: '1' }] }), '451 221', 0],
  [
    'HOOK-15',
    'two thousand fields',
    json({ addHeaders: Array.from({ length: 2_000 }, () => ({})) }),
    '451 221',
    0,
  ],
  [
    'HOOK-16',
    'a field that is larger than all fields may be',
    json({ addHeaders: [{ name: 'X-A', value: 'y'.repeat(9_000) }] }),
    '250 221',
    1,
  ],
  [
    'HOOK-17',
    'a sender with line ends',
    json({ modifications: { reversePath: 'a@b\r\nRCPT TO:<x>' } }),
    '451 221',
    0,
  ],
  [
    'HOOK-18',
    'a recipient with angle brackets',
    json({ modifications: { addRecipients: ['x@y.example>\r\nDATA'] } }),
    '451 221',
    0,
  ],
  [
    'HOOK-19',
    'a message with bare line ends',
    json({ modifications: { message: Buffer.from('Subject: x\n\nMAIL\r.\r').toString('base64') } }),
    '550 221',
    0,
  ],
  [
    'HOOK-20',
    'a message with NUL',
    json({ modifications: { message: Buffer.from('Subject: x\0\r\n\r\n').toString('base64') } }),
    '550 221',
    0,
  ],
  [
    'HOOK-21',
    'a message with two From fields',
    json({
      modifications: {
        message: Buffer.from('From: a@x.example\r\nFrom: b@x.example\r\n\r\n').toString('base64'),
      },
    }),
    '550 221',
    0,
  ],
  ['HOOK-22', 'numbers in place of texts', json({ action: 5 }), '451 221', 0],
  [
    'HOOK-23',
    'a redirection',
    (_heard, answer) => void answer.writeHead(302, { Location: 'http://192.0.2.1/' }).end(),
    '451 221',
    0,
  ],
  [
    'HOOK-24',
    'an error',
    (_heard, answer) => void answer.writeHead(500).end('{"action":"accept"}'),
    '451 221',
    0,
  ],
  ['HOOK-25', 'no answer', () => {}, '451 221', 0],
  [
    'HOOK-26',
    'half an answer',
    (_heard, answer) => void answer.write('{"action":', () => answer.destroy()),
    '451 221',
    0,
  ],
  ['HOOK-27', 'an answer without end', endless, '451 221', 0],
  ['HOOK-28', 'keys of every object', '{"__proto__":{"action":"discard"},"constructor":1}', '250 221', 1],
]
for (const [id, what, answer, codes, kept] of hooks) {
  test(`${id} a hook answers with ${what}`, async (t) => {
    const outcome = await send(t, await http(t, answer, (url) => hookAt(t, url)))
    assert.equal(outcome.codes, codes)
    assert.equal(outcome.kept.length, kept)
    for (const letter of outcome.kept) assert.doesNotMatch(letter, /^X-Evil|^evil/m)
  })
}

const passed = { action: 'no action', score: 0 }
const spam: readonly (readonly [
  id: string,
  what: string,
  answer: object | string,
  codes: string,
  kept: number,
])[] = [
  ['RSPAMD-01', 'nothing', '', '451 221', 0],
  ['RSPAMD-02', 'no score', { action: 'no action' }, '451 221', 0],
  ['RSPAMD-03', 'a score that is infinite', '{"action":"no action","score":1e999}', '451 221', 0],
  ['RSPAMD-04', 'an action that nobody knows', { ...passed, action: '__proto__' }, '250 221', 1],
  [
    'RSPAMD-05',
    'line ends in its text',
    { action: 'reject', score: 20, messages: { smtp_message: evil } },
    '554 221',
    0,
  ],
  [
    'RSPAMD-06',
    'line ends in a field',
    { ...passed, milter: { add_headers: { 'X-A': evil } } },
    '250 221',
    1,
  ],
  [
    'RSPAMD-07',
    'line ends in the name of a field',
    { ...passed, milter: { add_headers: { 'X-A\r\nX-Evil': '1' } } },
    '451 221',
    0,
  ],
  [
    'RSPAMD-08',
    'line ends in a subject',
    { ...passed, action: 'rewrite subject', subject: evil },
    '250 221',
    0,
  ],
  ['RSPAMD-09', 'a signature with line ends', { ...passed, 'dkim-signature': evil }, '250 221', 1],
  [
    'RSPAMD-10',
    'fields to remove that are not there, and numbers beyond all',
    { ...passed, milter: { remove_headers: { 'X-Old': 1e15, Nope: -1e15, __proto__: 0 } } },
    '250 221',
    1,
  ],
  [
    'RSPAMD-11',
    'ten thousand symbols',
    {
      ...passed,
      symbols: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`S${i}`, { score: 1 }])),
    },
    '250 221',
    1,
  ],
  ['RSPAMD-12', 'two megabytes', { ...passed, x: 'x'.repeat(2_000_000) }, '451 221', 0],
]
for (const [id, what, answer, codes, kept] of spam) {
  test(`${id} Rspamd answers with ${what}`, async (t) => {
    const text = typeof answer === 'string' ? answer : json(answer)
    const outcome = await send(t, await http(t, text, (url) => rspamdAt(t, url)))
    assert.equal(outcome.codes, codes)
    assert.equal(outcome.kept.length, kept)
    for (const letter of outcome.kept) assert.doesNotMatch(letter, /^X-Evil|^evil/m)
  })
}

const scans: readonly (readonly [
  id: string,
  what: string,
  answer: string | null,
  codes: string,
  kept: number,
])[] = [
  ['CLAM-01', 'nothing, and closes', null, '451 221', 0],
  ['CLAM-02', 'a line of its own', 'hello\0', '451 221', 0],
  ['CLAM-03', 'OK for something else', 'other: OK\0', '451 221', 0],
  ['CLAM-04', 'OK with more behind it', 'stream: OK and not\0', '451 221', 0],
  ['CLAM-05', 'two answers: the first counts', 'stream: Evil FOUND\0stream: OK\0', '554 221', 0],
  ['CLAM-06', 'line ends in a name', 'stream: a\r\n250 ok\r\nb FOUND\0', '451 221', 0],
  ['CLAM-07', 'a name of control characters', 'stream: \x1b[2J\x9b FOUND\0', '554 221', 0],
  ['CLAM-08', 'a name of three thousand octets', `stream: ${'x'.repeat(3_000)} FOUND\0`, '554 221', 0],
  ['CLAM-09', 'an answer without end', 'x'.repeat(100_000), '451 221', 0],
  ['CLAM-10', 'an error', "stream: Can't allocate memory ERROR\0", '451 221', 0],
]
for (const [id, what, answer, codes, kept] of scans) {
  test(`${id} clamd answers with ${what}`, async (t) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      // Four octets of nothing end the stream.
      socket.on('data', (chunk: Buffer) => {
        if (!chunk.subarray(-4).equals(Buffer.alloc(4))) return
        if (answer === null) socket.destroy()
        else socket.write(answer, 'latin1')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const place = { kind: 'inet' as const, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    const times = { connectTimeoutMs: 1_000, timeoutMs: 1_000 }
    const filter = createClamavFilter(
      { ...common, place, ...times, onFound: 'refuse', tooLarge: 'accept' },
      around,
    )
    const outcome = await send(t, filter)
    assert.equal(outcome.codes, codes)
    assert.equal(outcome.kept.length, kept)
  })
}

const atEnd = (...answers: string[]): Script => ({ E: answers })
const milters: readonly (readonly [id: string, what: string, script: Script, codes: string, kept: number])[] =
  [
    ['MILTER-01', 'a letter that is none', atEnd('\x00'), '451 221', 0],
    ['MILTER-02', 'a reply of success', atEnd('y250 2.0.0 ok\0'), '451 221', 0],
    ['MILTER-03', 'line ends in a reply', atEnd('y550 5.7.1 no\r\n250 ok\0'), '451 221', 0],
    ['MILTER-04', 'a bare CR in a reply', atEnd('y550 5.7.1 no\r250 ok\0'), '451 221', 0],
    ['MILTER-05', 'a reply of a megabyte', atEnd(`y550 5.7.1 ${'x'.repeat(1_000_000)}\0`), '550 221', 0],
    ['MILTER-06', 'a packet over its bound', atEnd(`b${'x'.repeat(1_100_000)}`, 'c'), '451 221', 0],
    ['MILTER-07', 'line ends in a field', atEnd(`hX-A\0${evil}\0`, 'c'), '250 221', 1],
    ['MILTER-08', 'line ends in the name of a field', atEnd('hX-A\r\nX-Evil\x001\0', 'c'), '451 221', 0],
    ['MILTER-09', 'a field without its end', atEnd('hX-A', 'c'), '451 221', 0],
    [
      'MILTER-10',
      'a field to be changed that is not there',
      atEnd(`m${uint32(4_000_000_000)}X-Old\x00y\0`, 'c'),
      '250 221',
      1,
    ],
    ['MILTER-11', 'bare line ends in a body', atEnd('ba\n.\nMAIL\r', 'c'), '250 221', 1],
    ['MILTER-12', 'NUL in a body', atEnd('ba\0b\r\n', 'c'), '550 221', 0],
    [
      'MILTER-13',
      'two thousand changes',
      atEnd(...Array.from({ length: 2_000 }, () => 'hX-A\x001\0'), 'c'),
      '451 221',
      0,
    ],
    ['MILTER-14', 'a sender with line ends', atEnd('e<a@b\r\nDATA>\0', 'c'), '451 221', 0],
    ['MILTER-15', 'a recipient with line ends', atEnd('+<a@b\r\nDATA>\0', 'c'), '451 221', 0],
    ['MILTER-16', 'progress, and nothing else', { E: Array.from({ length: 100 }, () => 'p') }, '451 221', 0],
    ['MILTER-17', 'a change before the end', { M: ['hX-A\x001\0', 'c'] }, '500 500 500 500 500 221', 0],
    ['MILTER-18', 'answers nobody asked for', { C: ['c', 'r', 'r', 'r'] }, '', 0],
  ]
for (const [id, what, script, codes, kept] of milters) {
  test(`${id} a milter answers with ${what}`, async (t) => {
    const milter = await startMilter(script)
    t.after(() => milter.close())
    const place = { kind: 'inet' as const, host: '127.0.0.1', port: milter.port }
    const times = { connectTimeoutMs: 1_000, commandTimeoutMs: 500, contentTimeoutMs: 500 }
    const pool = new KeeperPool(1_000_000)
    const outcome = await send(
      t,
      createMilterFilter({ ...common, place, ...times }, defaultLimits, around, pool),
    )
    if (codes !== '') assert.equal(outcome.codes, codes)
    assert.equal(outcome.kept.length, kept)
    for (const letter of outcome.kept) assert.doesNotMatch(letter, /^X-Evil|^evil/m)
  })
}
