/** Open relay by every form of an address, and what strangers can learn about who is here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import { attack } from './client.ts'
import { attackDoor, type Case, codesOf, hello, mail, quit } from './case.ts'

/** Paths of RCPT that must neither be relayed nor reach another of us than is written. */
const paths: readonly (readonly [path: string, code: number])[] = [
  ['victim@elsewhere.example', 550],
  ['victim%elsewhere.example@hamburger.edu', 550],
  ['victim%elsewhere.example%x.example@hamburger.edu', 550],
  ['elsewhere.example!victim@hamburger.edu', 550],
  ['elsewhere.example!victim%x.example@hamburger.edu', 550],
  ['"victim@elsewhere.example"@hamburger.edu', 550],
  ['"victim%elsewhere.example"@hamburger.edu', 550],
  ['"elsewhere.example!victim"@hamburger.edu', 550],
  ['"bob@hamburger.edu\\"@elsewhere.example', 501],
  ['"bob@hamburger.edu"@elsewhere.example', 550],
  ['"bob\\"@hamburger.edu', 501],
  ['"bob\0"@hamburger.edu', 501],
  ['bob\0@hamburger.edu', 501],
  ['"bob\0@elsewhere.example"@hamburger.edu', 501],
  ['@hamburger.edu:victim@elsewhere.example', 550],
  ['@hamburger.edu,@x.example:victim@elsewhere.example', 550],
  ['@hamburger.edu:@x.example:victim@elsewhere.example', 501],
  ['@elsewhere.example:nobody@hamburger.edu', 550],
  ['bob@hamburger.edu@elsewhere.example', 501],
  ['bob@hamburger.edu,victim@elsewhere.example', 501],
  ['bob@hamburger.edu>,<victim@elsewhere.example', 501],
  ['bob@hamburger.edu> ORCPT=rfc822;x <victim@elsewhere.example', 501],
  ['bob@hamburger.edu;victim@elsewhere.example', 501],
  ['bob@hamburger.edu.', 501],
  ['bob@hamburger.edu..', 501],
  ['bob@.hamburger.edu', 501],
  ['bob@hamburger.edu.elsewhere.example', 550],
  ['bob@elsewhere.example#@hamburger.edu', 501],
  ['bob@[127.0.0.1]', 550],
  ['bob@[IPv6:::1]', 550],
  ['bob@[::1]', 501],
  ['bob@[127.1]', 501],
  ['bob@[0x7f000001]', 501],
  ['bob@[127.0.0.1].hamburger.edu', 501],
  ['bob@[hamburger.edu]', 501],
  ['bob@2130706433', 550],
  ['bob@hamburger%2eedu', 501],
  ['bob@hamburger_.edu', 553],
  ['bob@-hamburger.edu', 501],
  ['bob@xn--hamburger-.edu', 501],
  ['bob@hamburg\xd0\xb5r.edu', 553],
  ['bob@hamburger\xe3\x80\x82edu', 553],
  ['b\xc3\xb6b@hamburger.edu', 553],
  ['postmaster@elsewhere.example', 550],
  ['postmaster@', 501],
  ['victim', 501],
  ['', 501],
  ['@', 501],
  ['""@hamburger.edu', 550],
  ['" "@hamburger.edu', 550],
  ['bob@hamburger.edu ', 501],
  [' bob@hamburger.edu', 501],
  ['bob @hamburger.edu', 501],
  ['bob@ hamburger.edu', 501],
  ['(x)bob@hamburger.edu', 501],
  ['bob(x)@hamburger.edu', 501],
  ['|/bin/sh@hamburger.edu', 550],
  ['"|/bin/sh"@hamburger.edu', 550],
  ['/etc/passwd@hamburger.edu', 550],
  [':include:/etc/passwd@hamburger.edu', 501],
  [`${'a'.repeat(65)}@hamburger.edu`, 550],
  [`bob@${'a.'.repeat(127)}hamburger.edu`, 501],
  [`${'@x.example,'.repeat(150)}@x.example:bob@hamburger.edu`, 501],
]

attackDoor('Open relay', { limits: { errorsPerSession: 1_000 } }, [
  ...paths.map(
    ([path, code], index): Case => ({
      id: `RELAY-${String(index + 1).padStart(2, '0')}`,
      what: `<${JSON.stringify(path.slice(0, 60)).slice(1, -1)}>`,
      // DATA shows that nobody stands there after all.
      send: `${hello}${mail}RCPT TO:<${path}>\r\nDATA\r\n${quit}`,
      codes: `220 250 250 ${code} 503 221`,
    }),
  ),
])

/** With SMTPUTF8: what looks like our domain, or would be mapped to it. */
const lookalikes = [
  'bob@hamburg\u0435r.edu', // Cyrillic
  'bob@hamburger\u3002edu', // ideographic full stop
  'bob@hamburger\uff0eedu', // full-width full stop
  'bob@\uff48amburger.edu', // full-width h
  'bob@hamburger.\u24d4du', // circled e
  'bob@ham\u00adburger.edu', // soft hyphen
  'bob@ham\u200dburger.edu', // zero width joiner
  'bob@\u202eude.regrubmah', // override
  'bob@HAMB\u00dcRGER.EDU', // capitals with a letter that is not ASCII
  'b\u043eb@hamburger.edu', // Cyrillic o
  'b\u00f3b@hamburger.edu',
]

attackDoor('Look-alikes', {}, [
  ...lookalikes.map(
    (path, index): Case => ({
      id: `IDN-${String(index + 1).padStart(2, '0')}`,
      what: JSON.stringify(path),
      send: `${hello}MAIL FROM:<ada@client.example> SMTPUTF8\r\nRCPT TO:<${Buffer.from(path).toString('latin1')}>\r\nDATA\r\n${quit}`,
      codes: '220 250 250 5xx 503 221',
    }),
  ),
  ...['\xc0\xaf', '\xed\xa0\x80', '\xff', '\xc3'].map(
    (octets, index): Case => ({
      id: `IDN-${12 + index}`,
      what: `octets that are no UTF-8: ${JSON.stringify(octets)}`,
      send: `${hello}MAIL FROM:<ada@client.example> SMTPUTF8\r\nRCPT TO:<${octets}@hamburger.edu>\r\n${quit}`,
      codes: '220 250 250 501 221',
    }),
  ),
])

test('HARV-01 VRFY and EXPN say the same of everybody, in every form', async (t) => {
  const door = await openSmtpDoor({
    limits: { idleCommands: 1_000 },
    door: { inquiries: { vrfy: 'accounts', expn: true } },
  })
  t.after(() => door.close())
  const one = await attack(door.endpoint)
  t.after(() => one.socket.destroy())
  await one.until(/^220 .*\r\n/)
  await one.ask('EHLO client.example')
  for (const verb of ['VRFY', 'EXPN']) {
    const answers = new Set<string>()
    for (const name of [
      'bob',
      'nobody',
      'cooks',
      '<bob@hamburger.edu>',
      'nobody@hamburger.edu',
      'x@elsewhere.example',
      'postmaster',
    ])
      answers.add(await one.ask(`${verb} ${name}`))
    assert.equal(answers.size, 1, [...answers].join())
  }
})

test('HARV-02 an unknown recipient, one without a mailbox and a domain elsewhere tell strangers no name', async (t) => {
  const door = await openSmtpDoor()
  t.after(() => door.close())
  const one = await attack(door.endpoint)
  t.after(() => one.socket.destroy())
  one.send(
    `${hello}${mail}RCPT TO:<nobody@hamburger.edu>\r\nRCPT TO:<x@elsewhere.example>\r\nRCPT TO:<cooks@hamburger.edu>\r\n${quit}`,
  )
  const heard = await one.rest()
  assert.equal(codesOf(heard).join(' '), '220 250 250 550 550 250 221')
  // Who is behind an alias is nobody's business.
  assert.doesNotMatch(heard, /bob|carol/)
})
