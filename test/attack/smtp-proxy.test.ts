/** PROXY and XCLIENT: who is believed to be whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilterClient } from '../../src/smtp/filter/filter.ts'
import { readProxyHeader } from '../../src/smtp/wire/proxy-header.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { attackDoor, type Case, codesOf, converse, hello, mail, plain, quit, rcpt, toData } from './case.ts'

const v1 = 'PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\r\n'
const signature = '\r\n\r\n\0\r\nQUIT\n'

attackDoor('PROXY from a listed address', { door: { proxies: ['127.0.0.2'] } }, [
  {
    id: 'PROXY-01',
    what: 'an address that is not listed is not believed: the header is a command, and the trace has the truth',
    send: `${v1}${toData}Subject: x\r\n\r\n.\r\n${quit}`,
    codes: '220 500 250 250 250 354 250 221',
    kept: 1,
    copy: /Received: from client\.example \(\[127\.0\.0\.1\]\)/,
  },
])

const malformed: readonly (readonly [id: string, octets: string])[] = [
  ['PROXY-02', hello],
  ['PROXY-03', 'PROXY\r\n'],
  ['PROXY-04', 'PROXY TCP4 192.0.2.7 192.0.2.25 4711\r\n'],
  ['PROXY-05', 'PROXY TCP4 192.0.2.7 192.0.2.25 4711 25 x\r\n'],
  ['PROXY-06', 'PROXY TCP4 192.0.2.7 192.0.2.25 65536 25\r\n'],
  ['PROXY-07', 'PROXY TCP4 192.0.2.300 192.0.2.25 4711 25\r\n'],
  ['PROXY-08', 'PROXY TCP4 2001:db8::1 2001:db8::2 4711 25\r\n'],
  ['PROXY-09', 'PROXY TCP6 192.0.2.7 192.0.2.25 4711 25\r\n'],
  ['PROXY-10', 'PROXY UDP4 192.0.2.7 192.0.2.25 4711 25\r\n'],
  ['PROXY-11', 'proxy tcp4 192.0.2.7 192.0.2.25 4711 25\r\n'],
  ['PROXY-12', 'PROXY  TCP4 192.0.2.7 192.0.2.25 4711 25\r\n'],
  ['PROXY-13', 'PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\n'.padEnd(120, 'x')],
  ['PROXY-14', `PROXY TCP4 ${'1'.repeat(200)}\r\n`],
  ['PROXY-15', 'PROXY TCP4 192.0.2.7\0 192.0.2.25 4711 25\r\n'],
  ['PROXY-16', `${signature}\x31\x11\0\x0c${'\0'.repeat(12)}`],
  ['PROXY-17', `${signature}\x22\x11\0\x0c${'\0'.repeat(12)}`],
  ['PROXY-18', `${signature}\x21\x11\0\x04${'\0'.repeat(4)}`],
  ['PROXY-19', `${signature}\x21\x21\0\x0c${'\0'.repeat(12)}`],
  ['PROXY-20', `${signature}\x21\x11\xff\xff${'\0'.repeat(200)}`],
]
for (const [id, octets] of malformed) {
  test(`${id} ${JSON.stringify(octets.slice(0, 40))} ends the connection without a word, over every cut`, () => {
    const whole = Buffer.from(octets, 'latin1')
    assert.equal(readProxyHeader(whole).kind, 'bad')
    for (let cut = 0; cut < whole.length; cut++)
      assert.notEqual(readProxyHeader(whole.subarray(0, cut)).kind, 'header')
  })
}

test('PROXY-21 two headers: the second one is a command', async (t) => {
  const door = await openSmtpDoor({ door: { proxies: ['127.0.0.1'] } })
  t.after(() => door.close())
  const second = 'PROXY TCP4 127.0.0.1 192.0.2.25 4711 25\r\n'
  const heard = await converse(door, `${v1}${second}${toData}Subject: x\r\n\r\n.\r\n${quit}`)
  assert.equal(codesOf(heard).join(' '), '220 500 250 250 250 354 250 221')
  assert.match(
    (await door.inbox('bob@hamburger.edu'))[0]!,
    /Received: from client\.example \(\[192\.0\.2\.7\]\)/,
  )
})

test('PROXY-22 no header in its time: the connection ends, and nothing was said', async (t) => {
  const door = await openSmtpDoor({ door: { proxies: ['127.0.0.1'] }, limits: { proxyHeaderTimeoutMs: 200 } })
  t.after(() => door.close())
  for (const begun of ['', 'PROXY TCP4 ', signature]) assert.equal(await converse(door, begun), '')
})

test('PROXY-23 the address of the client counts, not that of the proxy: log-in in the clear, trust, XCLIENT', async (t) => {
  const trusted: boolean[] = []
  const filters = [
    {
      name: 'x',
      open: (client: FilterClient) => ({ hello: () => (trusted.push(client.trusted) > 0 ? null : null) }),
    },
  ]
  const lists = { proxies: ['127.0.0.1'], trusted: ['127.0.0.1'], xclient: ['127.0.0.1'] }
  const door = await openSmtpDoor({ door: { ...lists, role: 'submission', filters } })
  t.after(() => door.close())
  const send = `${v1}${hello}AUTH PLAIN ${plain('bob', 'hungry')}\r\nXCLIENT LOGIN=bob\r\n${quit}`
  assert.equal(codesOf(await converse(door, send)).join(' '), '220 250 538 550 221')
  assert.deepEqual(trusted, [false])
})

const xclient = (id: string, attributes: string): Case => ({
  ...{ id, what: `XCLIENT ${JSON.stringify(attributes.slice(0, 50))}` },
  send: `${hello}XCLIENT ${attributes}\r\n${mail}${quit}`,
  codes: '220 250 501 250 221',
})

attackDoor('XCLIENT', { door: { xclient: ['127.0.0.1'] } }, [
  ...[
    '',
    'ADDR',
    'ADDR=',
    'ADDR=192.0.2.1 ADDR=192.0.2.2',
    'ADDR=192.0.2.256',
    'ADDR=IPV6:192.0.2.1',
    'ADDR=localhost',
    'PORT=65536',
    'PORT=-1',
    'PROTO=HTTP',
    'HELO=a+20b',
    'HELO=a+0D+0AMAIL',
    'NAME=a+00',
    'LOGIN=bob+0D+0A',
    'LOGIN=bob+',
    'DESTADDR=127.0.0.1',
    '__proto__=x',
    'constructor=x',
    `HELO=${'x'.repeat(256)}`,
  ].map((attributes, index) => xclient(`XCL-${String(index + 1).padStart(2, '0')}`, attributes)),
  {
    id: 'XCL-20',
    what: 'in the middle of a transaction',
    send: `${hello}${mail}XCLIENT ADDR=192.0.2.9\r\n${rcpt}DATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
    codes: '220 250 250 503 250 354 250 221',
    kept: 1,
    copy: /\[127\.0\.0\.1\]/,
  },
  {
    id: 'XCL-21',
    what: 'a transaction is not carried over',
    send: `${hello}XCLIENT ADDR=192.0.2.9\r\n${rcpt}DATA\r\n${quit}`,
    codes: '220 250 220 503 503 221',
  },
  {
    id: 'XCL-22',
    what: 'a client behind a proxy that passes all on names nobody else',
    send: `${hello}XCLIENT ADDR=192.0.2.9\r\n${hello}XCLIENT ADDR=127.0.0.1\r\n${mail}${rcpt}DATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
    codes: '220 250 220 250 550 250 250 354 250 221',
    kept: 1,
    copy: /\[192\.0\.2\.9\]/,
  },
])

attackDoor('XCLIENT where people log in', { door: { role: 'submission', xclient: ['127.0.0.1'] } }, [
  {
    id: 'XCL-23',
    what: 'who has been logged in by the proxy does not become another',
    send: `${hello}XCLIENT ADDR=192.0.2.9 LOGIN=bob\r\n${hello}XCLIENT LOGIN=carol\r\nMAIL FROM:<carol@hamburger.edu>\r\n${quit}`,
    codes: '220 250 220 250 550 550 221',
  },
  {
    id: 'XCL-24',
    what: 'a proxy that knows no address vouches for nobody: loopback is not the client’s',
    send: `${hello}XCLIENT ADDR=[UNAVAILABLE]\r\n${hello}AUTH PLAIN ${plain('bob', 'hungry')}\r\n${quit}`,
    codes: '220 250 220 250 538 221',
  },
  {
    id: 'XCL-25',
    what: 'attributes over several commands belong together until the client speaks',
    send: `${hello}XCLIENT ADDR=192.0.2.9\r\nXCLIENT LOGIN=bob HELO=laptop.example\r\n${hello}MAIL FROM:<bob@hamburger.edu>\r\n${quit}`,
    codes: '220 250 220 220 250 250 221',
  },
])
