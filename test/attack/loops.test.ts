/** Mail that goes round, and mail that goes back to somebody who never sent any. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardWorld } from '../../src/smtp/guard/guard-fixture.ts'
import { openSmtpDoor } from '../harness/smtp-door.ts'
import {
  attackDoor,
  type Case,
  codesOf,
  converse,
  fromOutside,
  hello,
  mail,
  quit,
  rcpt,
  toData,
} from './case.ts'

const world = guardWorld({ limits: { tarpitStepMs: 0 } })
const outside = { door: { proxies: ['127.0.0.1'], filters: world.guards.filters } }
const nobody = 'MAIL FROM:<>\r\n'
const received = 'Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n'
const delivered = (id: string, what: string, header: string, code = 554): Case => ({
  ...{ id, what },
  send: `${toData}${header}Subject: x\r\n\r\nx\r\n.\r\n${quit}`,
  codes: `220 250 250 250 354 ${code} 221`,
  ...(code === 250 ? { kept: 1 } : {}),
})

attackDoor(
  'Loops and backscatter',
  outside,
  [
    delivered('LOOP-01', 'delivered to bob before', 'Delivered-To: bob@hamburger.edu\r\n'),
    delivered('LOOP-02', 'in other letters', 'DELIVERED-to:\t<BOB@Hamburger.EDU>\r\n'),
    delivered(
      'LOOP-03',
      'below a hundred fields',
      `${'X: y\r\n'.repeat(500)}Delivered-To: bob@hamburger.edu\r\n`,
    ),
    delivered('LOOP-04', 'in the body it says nothing', '\r\nDelivered-To: bob@hamburger.edu\r\n', 250),
    delivered('LOOP-05', 'delivered to somebody else', 'Delivered-To: bobby@hamburger.edu\r\n', 250),
    delivered('LOOP-06', 'a hundred hops are taken', received.repeat(100), 250),
    delivered('LOOP-07', 'a hundred and one are not', received.repeat(101)),
    delivered(
      'LOOP-08',
      'in capitals, with a blank before the colon',
      received.replace('Received:', 'RECEIVED :').repeat(101),
    ),
    delivered('LOOP-09', 'fields over the number of fields', 'X: y\r\n'.repeat(1_100), 552),
    {
      id: 'LOOP-10',
      what: 'a report to several is put off but for the first',
      send: `${hello}${nobody}${rcpt}RCPT TO:<carol@hamburger.edu>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
      codes: '220 250 250 250 452 354 250 221',
      kept: 1,
    },
    {
      id: 'LOOP-11',
      what: 'a report that asks to be reported about has its answer from nobody',
      send: `${hello}${nobody}RCPT TO:<bob@hamburger.edu> NOTIFY=SUCCESS,DELAY,FAILURE\r\nDATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
      codes: '220 250 250 250 354 250 221',
      kept: 1,
      queued: 0,
    },
    {
      id: 'LOOP-12',
      what: 'an unknown recipient is refused while the client listens, so no report is written',
      send: `${hello}${mail}RCPT TO:<nobody@hamburger.edu>\r\nDATA\r\n${quit}`,
      codes: '220 250 250 550 503 221',
      queued: 0,
    },
    {
      id: 'LOOP-13',
      what: 'a null reverse-path with parameters that only a sender could want',
      send: `${hello}MAIL FROM:<> RET=FULL ENVID=x\r\n${rcpt}DATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
      codes: '220 250 250 250 354 250 221',
      kept: 1,
      queued: 0,
    },
    {
      id: 'LOOP-14',
      what: 'a bounce of a bounce from the mailer-daemon of somebody else is a letter like any other',
      send: `${hello}${nobody}${rcpt}DATA\r\nFrom: mailer-daemon@x.example\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;x\r\n\r\n--b--\r\n.\r\n${quit}`,
      codes: '220 250 250 250 354 250 221',
      kept: 1,
      queued: 0,
    },
  ],
  fromOutside,
)

test('LOOP-15 aliases that lead to each other, or too deep, take no mail and no time', async (t) => {
  const door = await openSmtpDoor()
  t.after(() => door.close())
  await door.store.addAlias('a@hamburger.edu', ['b@hamburger.edu'])
  await door.store.addAlias('b@hamburger.edu', ['a@hamburger.edu'])
  await door.store.addAlias('self@hamburger.edu', ['self@hamburger.edu'])
  for (let depth = 0; depth < 30; depth++)
    await door.store.addAlias(`d${depth}@hamburger.edu`, [`d${depth + 1}@hamburger.edu`])
  await door.store.addAlias('d30@hamburger.edu', ['bob@hamburger.edu'])
  const to = ['a', 'b', 'self', 'd0'].map((name) => `RCPT TO:<${name}@hamburger.edu>\r\n`).join('')
  const heard = await converse(door, `${hello}${mail}${to}DATA\r\n${quit}`)
  assert.match(codesOf(heard).join(' '), /^220 250 250 [45]\d\d [45]\d\d [45]\d\d [45]\d\d 503 221$/)
})

test('LOOP-16 aliases that double at each step are one copy for each account', async (t) => {
  const door = await openSmtpDoor()
  t.after(() => door.close())
  for (let depth = 0; depth < 8; depth++)
    await door.store.addAlias(`e${depth}@hamburger.edu`, [
      `e${depth + 1}@hamburger.edu`,
      `e${depth + 1}+x@hamburger.edu`,
    ])
  await door.store.addAlias('e8@hamburger.edu', ['bob@hamburger.edu', 'carol@hamburger.edu'])
  const heard = await converse(
    door,
    `${hello}${mail}RCPT TO:<e0@hamburger.edu>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n${quit}`,
  )
  assert.equal(codesOf(heard).join(' '), '220 250 250 250 354 250 221')
  assert.equal((await door.inbox('bob@hamburger.edu')).length, 1)
})
