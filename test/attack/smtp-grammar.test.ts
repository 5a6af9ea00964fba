/** Commands that are none, too long, too many, out of their place, or of another protocol. */
import { refuse } from '../../src/smtp/wire/reply.ts'
import { attackDoor, type Case, hello, logIn, mail, quit, rcpt, toData } from './case.ts'

const line = (id: string, what: string, octets: string, code: number): Case => ({
  ...{ id, what, send: `${hello}${octets}\r\n${quit}`, codes: `220 250 ${code} 221` },
})
const ofMail = (id: string, parameters: string, code: number): Case =>
  line(
    id,
    `MAIL with ${JSON.stringify(parameters.slice(0, 40))}`,
    `MAIL FROM:<ada@client.example>${parameters}`,
    code,
  )
const ofRcpt = (id: string, parameters: string, code: number): Case => ({
  ...{ id, what: `RCPT with ${JSON.stringify(parameters.slice(0, 40))}` },
  send: `${hello}${mail}RCPT TO:<bob@hamburger.edu>${parameters}\r\n${quit}`,
  codes: `220 250 250 ${code} 221`,
})

attackDoor('Grammar', { limits: { recipients: 100 } }, [
  line('GRAM-01', 'nothing', '', 500),
  line('GRAM-02', 'a blank before the verb', ' NOOP', 500),
  line('GRAM-03', 'NUL in a verb', 'NO\0OP', 500),
  line('GRAM-04', 'NUL before a verb', '\0NOOP', 500),
  line('GRAM-05', 'octets over 127 as a verb', '\xc3\xbcber', 500),
  line('GRAM-06', 'a bare CR in a command is no line end', 'NOOP\rRSET', 500),
  line('GRAM-07', 'a verb that every object has', '__proto__', 500),
  line('GRAM-08', 'another one', 'constructor x', 500),
  line('GRAM-09', 'HELP about it', 'HELP __proto__', 504),
  line('GRAM-10', 'a line as long as it may be', `NOOP ${'x'.repeat(2_043)}`, 250),
  line('GRAM-11', 'a line one octet longer', `NOOP ${'x'.repeat(2_044)}`, 500),
  line('GRAM-12', 'a line of a megabyte is one error', 'x'.repeat(1_000_000), 500),
  line('GRAM-13', 'a tab in place of a blank', 'MAIL\tFROM:<ada@client.example>', 500),
  line('GRAM-14', 'a verb of two thousand letters', 'A'.repeat(2_000), 500),
  ...[
    ' SIZE=1 SIZE=2',
    ' size=1 SIZE=1',
    ' SIZE',
    ' SIZE=-1',
    ' SIZE=1e9',
    ` SIZE=${'9'.repeat(21)}`,
    ' BODY=',
    ' BODY=9BIT',
    ' =x',
    ' -X=1',
    'SIZE=1',
    ' RET=ALL',
    ' ENVID=+0D+0AMAIL',
    ` ENVID=${'x'.repeat(101)}`,
    ' BY=0;R',
    ' BY=9999999999;N',
    ' AUTH=+0D+0A',
    ' __proto__=1',
  ].map((parameters, index) => ofMail(`GRAM-${15 + index}`, parameters, 501)),
  ...[
    ' FOO=bar',
    ' HOLDFOR=1',
    ' REQUIRETLS',
    ' MT-PRIORITY=9',
    ` ${'X'.repeat(1_000)}=1`,
    ' NOTIFY=NEVER',
  ].map((parameters, index) => ofMail(`GRAM-${33 + index}`, parameters, 555)),
  ofMail('GRAM-39', ` SIZE=${'9'.repeat(20)}`, 552),
  ofMail('GRAM-40', ` SIZE=${'0'.repeat(19)}1`, 250),
  ...[
    ' NOTIFY=NEVER,FAILURE',
    ' NOTIFY=SUCCESS,SUCCESS',
    ' NOTIFY=',
    ' ORCPT=rfc822',
    ' ORCPT=rfc822;a+0Z',
  ].map((parameters, index) => ofRcpt(`GRAM-${41 + index}`, parameters, 501)),
  ofRcpt('GRAM-46', ` ORCPT=rfc822;${'a'.repeat(500)}`, 501),
  ofRcpt('GRAM-47', ' SIZE=1', 555),
  ...['', ' ', 'a b', 'x\0y', 'x'.repeat(256), '\xff.example'].map(
    (name, index): Case => ({
      ...{ id: `GRAM-${48 + index}`, what: `EHLO ${JSON.stringify(name.slice(0, 10))} names nobody` },
      send: `EHLO ${name}\r\n${mail}${quit}`,
      codes: '220 501 503 221',
    }),
  ),
  {
    id: 'GRAM-54',
    what: 'what a client calls itself cannot end or begin a field of the trace',
    send: `EHLO x);by(evil;Date:\r\n${toData.slice(hello.length)}Subject: x\r\n\r\n.\r\n${quit}`,
    codes: '220 250 250 250 354 250 221',
    kept: 1,
    copy: /^Return-Path: <ada@client\.example>\r\nReceived: from xbyevilDate: \(\[127\.0\.0\.1\]\)\s+by mail\.hamburger\.edu /,
  },
  {
    id: 'GRAM-55',
    what: 'a control character in HELP comes back as a question mark at most',
    send: `HELP \x1b[2J\r\n${quit}`,
    codes: '220 504 221',
    nowhere: /\x1b/,
  },
  {
    id: 'GRAM-56',
    what: 'ten thousand recipients: the first hundred have it once, the others are put off',
    send: `${hello}${mail}${'RCPT TO:<bob@hamburger.edu>\r\n'.repeat(10_000)}DATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
    codes: `220 250 250 ${'250 '.repeat(100)}${'452 '.repeat(9_900)}354 250 221`,
    kept: 1,
  },
  {
    id: 'GRAM-57',
    what: 'errors in a row end the session, whatever they are',
    send: `${hello}${'RCPT TO:<x>\r\nFOO\r\nMAIL FROM:x\r\nDATA\r\n'.repeat(20)}`,
    codes: `220 250 ${'503 500 501 503 '.repeat(12)}503 421`,
  },
  {
    id: 'GRAM-58',
    what: 'commands behind QUIT are not answered, nor is a message',
    send: `${hello}${quit}${mail}${rcpt}DATA\r\nx\r\n.\r\n`,
    codes: '220 250 221',
  },
  {
    id: 'GRAM-59',
    what: 'MAIL inside a transaction changes no sender',
    send: `${hello}${mail}MAIL FROM:<evil@x.example>\r\n${rcpt}DATA\r\nx: y\r\n\r\n.\r\n${quit}`,
    codes: '220 250 250 503 250 354 250 221',
    kept: 1,
    copy: /^Return-Path: <ada@client\.example>/,
  },
  {
    id: 'GRAM-60',
    what: 'EHLO inside a transaction forgets it',
    send: `${toData.replace('DATA\r\n', '')}${hello}DATA\r\n${quit}`,
    codes: '220 250 250 250 250 503 221',
  },
  {
    id: 'GRAM-61',
    what: 'parameters of ESMTP after HELO',
    send: `HELO client.example\r\nMAIL FROM:<a@client.example> SIZE=1\r\nMAIL FROM:<a@client.example> BODY=8BITMIME\r\n${quit}`,
    codes: '220 250 555 555 221',
  },
  {
    id: 'GRAM-62',
    what: 'DSN after HELO',
    send: `HELO client.example\r\n${mail}RCPT TO:<bob@hamburger.edu> NOTIFY=NEVER\r\n${quit}`,
    codes: '220 250 250 555 221',
  },
])

/** Other protocols, which a browser or a printer can be made to speak to port 25. */
const foreign: readonly (readonly [id: string, what: string, octets: string, codes: string])[] = [
  ['PROT-01', 'GET', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '220 421'],
  ['PROT-02', 'HTTP in small letters', 'get /?MAIL HTTP/1.0\r\n\r\n', '220 421'],
  ['PROT-03', 'CONNECT', 'CONNECT mail.hamburger.edu:25 HTTP/1.1\r\n\r\n', '220 421'],
  ['PROT-04', 'HTTP/2 from the start', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '220 421'],
  ['PROT-05', 'a method of WebDAV', 'PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n', '220 421'],
  ['PROT-06', 'POST with a transaction in it', `POST / HTTP/1.1\r\n\r\n${toData}x\r\n.\r\n`, '220 421'],
  ['PROT-07', 'POST behind EHLO', `${hello}POST / HTTP/1.1\r\n${mail}`, '220 250 421'],
  ['PROT-08', 'lines that end with LF', `EHLO x\nMAIL FROM:<a@b>\n`, '220 500'],
  ['PROT-09', 'LF behind a good line', `${hello}NOOP\nMAIL FROM:<a@b>\r\n`, '220 250 500'],
  ['PROT-10', 'a TLS handshake in the clear', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n', '220 500'],
  ['PROT-11', 'SSH', `SSH-2.0-x\r\n${quit}`, '220 500 221'],
  [
    'PROT-12',
    'a PROXY header from a stranger is a command like any other',
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n${quit}`,
    '220 500 221',
  ],
  ['PROT-13', 'its binary form', `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c`, '220 500 500 500 500'],
  [
    'PROT-14',
    'XCLIENT from a stranger',
    `${hello}XCLIENT ADDR=127.0.0.1 LOGIN=bob\r\n${quit}`,
    '220 250 550 221',
  ],
]

attackDoor(
  'Other protocols',
  {},
  foreign.map(([id, what, send, codes]): Case => ({ id, what, send, codes })),
)

const later = {
  name: 'later',
  open: () => ({ mail: () => refuse(450, '4.7.1', 'Later') }),
}

attackDoor('Commands without end', { limits: { idleCommands: 30 }, door: { filters: [later] } }, [
  {
    id: 'IDLE-01',
    what: 'MAIL that is put off each time',
    send: `${hello}${mail.repeat(100)}`,
    codes: `220 250 ${'450 '.repeat(30)}421`,
  },
  { id: 'IDLE-02', what: 'EHLO', send: hello.repeat(100), codes: `220 ${'250 '.repeat(30)}421` },
  { id: 'IDLE-03', what: 'HELP', send: 'HELP\r\n'.repeat(100), codes: `220 ${'214 '.repeat(30)}421` },
  {
    id: 'IDLE-04',
    what: 'VRFY and EXPN',
    send: 'VRFY bob\r\nEXPN cooks\r\n'.repeat(100),
    codes: `220 ${'252 502 '.repeat(15)}421`,
  },
])

attackDoor(
  'Commands without end, handing in',
  { limits: { idleCommands: 30 }, door: { role: 'submission' } },
  [
    {
      id: 'IDLE-05',
      what: 'MAIL and RSET in turn',
      send: `${logIn}${`MAIL FROM:<bob@hamburger.edu>\r\nRSET\r\n`.repeat(100)}`,
      codes: `220 250 235 ${'250 250 '.repeat(29)}250 421`,
    },
  ],
)
