/** Messages that are bombs: handed in by SMTP, then read through IMAP and POP3 and searched. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createAuthenticator } from '../../src/auth/create-authenticator.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { type Door, type Listener, listen } from '../../src/base/listener.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createImapDoor } from '../../src/imap/server/door.ts'
import { createPop3Door } from '../../src/pop3/server/door.ts'
import { MaildropLocks } from '../../src/pop3/server/maildrop-locks.ts'
import { openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { type Attacker, attack } from './client.ts'
import { codesOf, converse, quit, toData } from './case.ts'

/** A message, and whether it is taken: 250, or the code of its refusal. */
type Bomb = readonly [id: string, what: string, message: string, code?: number]

const nested = (depth: number): string => {
  let text = ''
  for (let level = 0; level < depth; level++)
    text += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`
  return `${text}\r\nhello\r\n`
}
const messages = (depth: number): string =>
  `${'Content-Type: message/rfc822\r\n\r\n'.repeat(depth)}Subject: inner\r\n\r\nhello\r\n`
const parts = (count: number, part: string): string =>
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n${`--b\r\n${part}\r\n`.repeat(count)}--b--\r\n`
const header = (text: string): string => `${text}\r\n\r\nhello\r\n`
const typed = (parameters: string): string => header(`Content-Type: text/plain${parameters}`)

const bombs: readonly Bomb[] = [
  ['MIME-01', 'multiparts fifty deep', nested(50)],
  ['MIME-02', 'multiparts a thousand deep', nested(1_000), 552],
  ['MIME-03', 'messages fifty deep', messages(49)],
  ['MIME-04', 'messages a thousand deep', messages(1_000), 552],
  ['MIME-05', 'nine hundred parts', parts(900, '\r\nx')],
  ['MIME-06', 'ten thousand parts', parts(10_000, '\r\nx'), 552],
  [
    'MIME-07',
    'parts with nothing but headers',
    parts(900, `Content-Type: text/plain; name="${'n'.repeat(200)}"\r\n`),
  ],
  [
    'MIME-08',
    'a boundary of a thousand octets',
    `Content-Type: multipart/mixed; boundary="${'b'.repeat(1_000)}"\r\n\r\n--${'b'.repeat(1_000)}\r\n\r\nx\r\n--${'b'.repeat(1_000)}--\r\n`,
  ],
  [
    'MIME-09',
    'an empty boundary',
    'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nx\r\n----\r\n',
  ],
  ['MIME-10', 'no boundary at all', 'Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n'],
  [
    'MIME-11',
    'boundaries that begin with each other',
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\nx\r\n--bb--\r\n--b--\r\n',
  ],
  [
    'MIME-12',
    'a hundred thousand lines that nearly are boundaries',
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--a\r\n'.repeat(100_000)}--b--\r\n`,
  ],
  [
    'MIME-13',
    'the same boundary within',
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'.repeat(40)}--b--\r\n`,
  ],
  ['MIME-14', 'thousands of parameters', typed(`;\r\n a${'; x=y'.repeat(10_000)}`)],
  [
    'MIME-15',
    'RFC 2231: ten thousand pieces of one name',
    typed(Array.from({ length: 9_000 }, (_, i) => `;\r\n name*${i}=x`).join('')),
  ],
  [
    'MIME-16',
    'RFC 2231: a piece numbered beyond all',
    typed('; name*0=a; name*99999999999999999999=b; name*-1=c'),
  ],
  ['MIME-17', 'RFC 2231: percent signs without end', typed(`; name*=utf-8''${'%'.repeat(50_000)}`)],
  ['MIME-18', 'RFC 2231: a charset nobody has', typed(`; name*=${'x'.repeat(5_000)}''%41`)],
  ['MIME-19', 'a charset of its own', header('Content-Type: text/plain; charset="../../x"')],
  [
    'MIME-20',
    'UTF-7',
    header('Content-Type: text/plain; charset=utf-7\r\nSubject: =?utf-7?q?+ADw-script+AD4-?='),
  ],
  ['MIME-21', 'base64 that is none', `Content-Transfer-Encoding: base64\r\n\r\n${'!=@#\r\n'.repeat(50_000)}`],
  [
    'MIME-22',
    'base64 without a line end',
    `Content-Transfer-Encoding: base64\r\n\r\n${'A'.repeat(60_000)}\r\n`,
  ],
  [
    'MIME-23',
    'quoted-printable of equals signs',
    `Content-Transfer-Encoding: quoted-printable\r\n\r\n${'='.repeat(60_000)}\r\n`,
  ],
  ['MIME-24', 'an encoding that nobody knows', header('Content-Transfer-Encoding: x-bomb')],
  [
    'MIME-25',
    'an encoded message',
    'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQ29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMg0KDQo=\r\n',
  ],
  [
    'MIME-26',
    'a message that refers to itself',
    header('Content-Type: message/external-body; access-type=URL; URL="imap://127.0.0.1/INBOX;UID=1"'),
  ],
  [
    'MIME-27',
    'HTML of tags that are never closed',
    `Content-Type: text/html\r\n\r\n${'<div <p a="\r\n'.repeat(20_000)}\r\n`,
  ],
  [
    'MIME-28',
    'HTML of ten thousand open elements',
    `Content-Type: text/html\r\n\r\n${'<b><!--\r\n<script'.repeat(15_000)}\r\n`,
  ],
  [
    'MIME-29',
    'HTML of ampersands',
    `Content-Type: text/html\r\n\r\n${'&#99999999999;&amp'.repeat(20_000).replace(/(.{900})/g, '$1\r\n')}\r\n`,
  ],
  ['HEAD-01', 'a header at its bound', header(`X: ${'y'.repeat(60_000)}\r\n`.repeat(4) + 'Subject: x')],
  [
    'HEAD-02',
    'a header over its bound',
    header(`X: ${'y'.repeat(60_000)}\r\n`.repeat(5) + 'Subject: x'),
    552,
  ],
  ['HEAD-03', 'a thousand fields', header('X: y\r\n'.repeat(999) + 'Subject: x')],
  ['HEAD-04', 'two thousand fields', header('X: y\r\n'.repeat(2_000) + 'Subject: x'), 552],
  ['HEAD-05', 'a field of a thousand folds', header(`Subject: x${'\r\n y'.repeat(20_000)}`)],
  ['HEAD-06', 'folds of nothing but blanks', header(`Subject: x${'\r\n '.repeat(20_000)}`)],
  ['HEAD-07', 'a line over its bound', header(`Subject: ${'x'.repeat(70_000)}`), 552],
  ['HEAD-08', 'a body line over its bound', `Subject: x\r\n\r\n${'x'.repeat(70_000)}\r\n`, 552],
  [
    'HEAD-09',
    'ten thousand addresses',
    header(`To: ${Array.from({ length: 10_000 }, (_, i) => `a${i}@x.example`).join(',\r\n ')}`),
  ],
  ['HEAD-10', 'groups in groups', header(`To: ${'a:'.repeat(20_000)}${';'.repeat(20_000)}`)],
  ['HEAD-11', 'comments in comments', header(`To: ${'('.repeat(30_000)}${')'.repeat(30_000)}`)],
  ['HEAD-12', 'quotes without end', header(`To: ${'"a\\'.repeat(15_000)}`)],
  ['HEAD-13', 'angles without end', header(`To: ${'<'.repeat(60_000)}`)],
  ['HEAD-14', 'routes without end', header(`To: <${'@a,'.repeat(20_000)}:x@y.example>`)],
  ['HEAD-15', 'commas', header(`To: ${','.repeat(60_000)}`)],
  ['HEAD-16', 'encoded words without end', header(`Subject: ${'=?utf-8?q?'.repeat(6_000)}`)],
  [
    'HEAD-17',
    'encoded words that make encoded words',
    header(`Subject: ${'=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= '.repeat(1_500)}`),
  ],
  [
    'HEAD-18',
    'encoded words in a charset that grows',
    header(`Subject: ${'=?iso-2022-jp?b?GyRCGyRCGyRC?= '.repeat(1_900)}`),
  ],
  ['HEAD-19', 'question marks', header(`Subject: ${'=?'.repeat(30_000)}`)],
  [
    'HEAD-20',
    'line ends in encoded words',
    header('Subject: =?utf-8?q?a=0D=0AX-Evil:_1?=\r\nFrom: =?utf-8?q?a=0D=0AX-Evil:_1?= <a@x.example>'),
  ],
  ['HEAD-21', 'references without end', header(`References: ${'<a@b.example>\r\n '.repeat(12_000)}`)],
  ['HEAD-22', 'a date of its own', header('Date: Mon, 99 Xyz 99999999999 99:99:99 +99999')],
  [
    'HEAD-23',
    'a Message-ID of fifty thousand octets',
    header(`Message-ID: <${'x'.repeat(50_000)}@x.example>`),
  ],
  [
    'HEAD-24',
    'octets over 127 everywhere',
    header(
      '\xff\xfe: \x80\x81\r\nSubject: \xff\xfe\xc3\r\nFrom: \xff <\xff@\xff>\r\nContent-Type: \xff/\xff; \xff=\xff',
    ),
  ],
  ['HEAD-25', 'lines that are no fields', header('no field\r\nnor this\r\n: nor this\r\nSubject: x')],
  [
    'HEAD-26',
    'fields of every object',
    header(
      '__proto__: x\r\nconstructor: y\r\ntoString: z\r\nContent-Type: __proto__/constructor; __proto__=x',
    ),
  ],
  ['HEAD-27', 'subjects with Re: without end', header(`Subject: ${'Re: '.repeat(15_000)}x`)],
  [
    'HEAD-28',
    'subjects with brackets without end',
    header(`Subject: ${'[fwd: '.repeat(9_000)}${']'.repeat(900)}`),
  ],
  [
    'HEAD-29',
    'words that a search index has never seen',
    `Subject: x\r\n\r\n${Array.from({ length: 60_000 }, (_, i) => `w${i.toString(36)}`)
      .join(' ')
      .replace(/(.{900}) /g, '$1\r\n')}\r\n`,
  ],
  ['HEAD-30', 'one word of sixty thousand octets', `Subject: x\r\n\r\n${'w'.repeat(60_000)}\r\n`],
]

describe('Bombs', () => {
  let smtp: SmtpHarness
  const listeners: Listener[] = []
  let [imap, pop3]: (Attacker | null)[] = [null, null]
  let bystander: Attacker
  let pop3At: Endpoint
  const tag = /(?:^|\r\n)t (?:OK|NO|BAD).*\r\n$/

  /** A reply of several lines, up to the dot alone. */
  const lines = /^\+OK.*\r\n(?:[\s\S]*\r\n)?\.\r\n$/

  async function open(door: Door): Promise<Endpoint> {
    const listener = await listen(door, [{ address: '127.0.0.1', port: 0 }], {
      ...defaultLimits,
      trusted: ['127.0.0.1'],
    })
    listeners.push(listener)
    return listener.endpoints[0]!
  }

  before(async () => {
    smtp = await openSmtpDoor()
    const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
    const common = {
      ...{
        implicitTls: false,
        hostname: 'mail.hamburger.edu',
        defaultDomain: 'hamburger.edu',
        tls: null,
        store: smtp.store,
      },
      ...{
        plaintext: 'loopback' as const,
        limits: defaultLimits,
        journeys: { append: () => {} },
        ...surroundings,
      },
      authenticator: createAuthenticator({ store: smtp.store, limits: defaultLimits, ...surroundings }),
    }
    const imapAt = await open(createImapDoor(common))
    pop3At = await open(createPop3Door({ ...common, locks: new MaildropLocks() }))
    for (const which of ['mine', 'other']) {
      const one = await attack(imapAt)
      await one.ask('t LOGIN bob hungry', tag)
      await one.ask('t SELECT INBOX', tag)
      if (which === 'mine') imap = one
      else bystander = one
    }
  })
  after(async () => {
    for (const one of [imap, bystander, pop3]) one?.socket.destroy()
    for (const listener of listeners) await listener.close(100)
    await smtp.close()
  })

  for (const [id, what, message, code = 250] of bombs) {
    test(`${id} ${what}: ${code === 250 ? 'taken, and read everywhere' : `refused with ${code}`}`, async () => {
      const heard = await converse(smtp, `${toData}${message}.\r\n${quit}`)
      assert.equal(codesOf(heard).slice(5).join(' '), `${code} 221`)
      const ask = (command: string) => imap!.ask(`t ${command}`, tag)
      const noop = await ask('NOOP')
      if (code !== 250) {
        assert.doesNotMatch(noop, /EXISTS/)
        return
      }
      // What it costs to tell is bounded by the message, and no line of it is anything but a response.
      const bound = 4 * message.length + 100_000
      for (const items of [
        'ENVELOPE',
        'BODYSTRUCTURE',
        'BODY.PEEK[1]',
        'BODY.PEEK[1.1.1.1]',
        'BODY.PEEK[HEADER.FIELDS (SUBJECT TO)]',
        'BODY.PEEK[TEXT]',
      ]) {
        const told = await ask(`FETCH 1 (${items})`)
        assert.match(told, /\r\nt OK /, items)
        assert.ok(told.length < bound, `${items}: ${told.length} octets of ${message.length}`)
        if (items === 'ENVELOPE') assert.doesNotMatch(told, /^X-Evil/m)
      }
      for (const search of ['TEXT zzzz', 'SUBJECT hello', 'FROM x', 'BODY hello', 'HEADER X y'])
        assert.match(await ask(`SEARCH ${search}`), /\* (?:E?SEARCH)[\s\S]*t OK /)
      const size = Number(/RFC822\.SIZE (\d+)/.exec(await ask('FETCH 1 RFC822.SIZE'))![1])
      assert.equal((await ask('FETCH 1 BODY.PEEK[]')).length > size, true)
      // POP3 sees the same octets, dots doubled.
      pop3 = await attack(pop3At)
      await pop3.until(/^\+OK.*\r\n/)
      for (const command of ['USER bob', 'PASS hungry']) await pop3.ask(command, /^\+OK.*\r\n/)
      await pop3.ask('TOP 1 1', lines)
      const retrieved = await pop3.ask('RETR 1', lines)
      const octets = retrieved.slice(retrieved.indexOf('\r\n') + 2, -3).replace(/^\.\./gm, '.')
      assert.equal(octets.length, size)
      for (const command of ['DELE 1', 'QUIT']) await pop3.ask(command, /^\+OK.*\r\n/)
      assert.match(await bystander.ask('t NOOP', tag), /t OK /)
      assert.match(await ask('NOOP'), /\* 1 EXPUNGE\r\n[\s\S]*t OK /)
    })
  }
})
