import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/random.ts'
import { parseContentType, parameterValue } from '../message/parameters.ts'
import { headerValues } from '../message/header.ts'
import { decodeQuotedPrintable } from '../message/transfer-encoding.ts'
import { scanMessage } from '../message/scan.ts'
import type { QueueEntry, QueueRecipient } from '../store/queue.ts'
import type { RecipientOutcome } from './outcome.ts'
import { type ReportRequest, writeReport } from './dsn.ts'
import { harmless } from './outcome.ts'
import { type DeliveryWishes, noWishes } from '../store/queue.ts'

const day = 86_400_000
const start = Date.UTC(2026, 0, 1)

const bob: QueueRecipient = {
  forwardPath: 'bob@hamburger.edu',
  state: 'waiting',
  attempts: 0,
  lastReply: null,
  orcpt: null,
  notify: null,
}

const refused: RecipientOutcome = {
  kind: 'permanent',
  status: '5.1.1',
  text: '550 5.1.1 No such user here',
  host: 'mx.hamburger.edu',
  stage: 'rcpt',
}

function entry(changes: Partial<QueueEntry> = {}): QueueEntry {
  return {
    accountId: 3,
    queueId: 9,
    reversePath: 'alice@crepes.fr',
    domain: 'hamburger.edu',
    recipients: [bob],
    prefix: '',
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: noWishes,
    nextAttemptAt: start,
    expiresAt: start + 5 * day,
    journeyId: null,
    createdAt: start,
    body: { accountId: 3, blobId: 1, octets: 10 },
    attempts: 0,
    delayWarned: false,
    leasedUntil: null,
    ...changes,
  }
}

const headerOf = (text: string) => ({ octets: Buffer.from(text, 'latin1'), whole: false })

function write(changes: Partial<ReportRequest> = {}): { text: string; octets: Buffer; parts: string[] } {
  const { octets } = writeReport({
    action: 'failed',
    entry: entry(),
    recipients: [{ recipient: bob, outcome: refused, action: 'failed' }],
    original: headerOf('Message-ID: <ketchup@crepes.fr>\r\nSubject: Ketchup?\r\n'),
    hostname: 'mail.crepes.fr',
    now: start + 1000,
    random: seededRandom(1),
    ...changes,
  })
  const scan = scanMessage(octets)
  const text = octets.toString('latin1')
  const parts = scan.root.parts.map((part) => text.slice(part.bodyOffset, part.bodyOffset + part.octets))
  return { text, octets, parts }
}

test('a report is a multipart/report of text, delivery-status and the original header', () => {
  const { octets } = write()
  const type = parseContentType(headerValues(octets, 'Content-Type')[0]!)!
  assert.equal(`${type.type}/${type.subtype}`, 'multipart/report')
  assert.equal(parameterValue(type.parameters, 'report-type'), 'delivery-status')
  const { root } = scanMessage(octets)
  assert.deepEqual(
    root.parts.map((part) => `${part.type}/${part.subtype}`),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  )
})

test('its header names the sender, the postmaster, the letter it is about and that a machine wrote it', () => {
  const { octets } = write()
  assert.deepEqual(headerValues(octets, 'To'), ['<alice@crepes.fr>'])
  assert.deepEqual(headerValues(octets, 'From'), ['Mail delivery <postmaster@crepes.fr>'])
  assert.deepEqual(headerValues(octets, 'Auto-Submitted'), ['auto-replied'])
  assert.deepEqual(headerValues(octets, 'In-Reply-To'), ['<ketchup@crepes.fr>'])
  assert.match(headerValues(octets, 'Message-ID')[0]!, /^<[0-9a-z]{16}@mail\.crepes\.fr>$/)
  assert.deepEqual(headerValues(octets, 'Date'), ['Thu, 01 Jan 2026 00:00:01 +0000'])
})

test('the delivery-status says what a machine needs, RFC 3464 §2', () => {
  const orcpt = 'rfc822;Bob+2Bfood@hamburger.edu'
  const { parts } = write({
    entry: entry({ envid: 'QQ+3D314159' }),
    recipients: [{ recipient: { ...bob, orcpt }, outcome: refused, action: 'failed' }],
  })
  assert.equal(
    parts[1],
    [
      'Original-Envelope-Id: QQ=314159',
      'Reporting-MTA: dns; mail.crepes.fr',
      'Arrival-Date: Thu, 01 Jan 2026 00:00:00 +0000',
      '',
      'Original-Recipient: rfc822; Bob+food@hamburger.edu',
      'Final-Recipient: rfc822; bob@hamburger.edu',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.hamburger.edu',
      'Diagnostic-Code: smtp; 550 5.1.1 No such user here',
      'Last-Attempt-Date: Thu, 01 Jan 2026 00:00:01 +0000',
      '',
    ].join('\r\n'),
  )
})

test('a report repeats what its letter had asked for, RFC 2852 §5 and RFC 4865 §5.1.2', () => {
  const at = Date.UTC(2026, 0, 2)
  const fields = (wishes: Partial<DeliveryWishes>): string[] | null =>
    write({ entry: entry({ wishes: { ...noWishes, ...wishes } }) }).parts[1]!.match(
      /^(?:Deliver-By-Date|Future-Release-Request): .*$/gm,
    )
  assert.deepEqual(fields({ deliverBy: { at, mode: 'return', trace: true }, holdUntil: at, holdFor: 60 }), [
    'Deliver-By-Date: Fri, 02 Jan 2026 00:00:00 +0000',
    'Future-Release-Request: for;60',
  ])
  assert.deepEqual(fields({ holdUntil: at }), ['Future-Release-Request: until;2026-01-02T00:00:00Z'])
  assert.equal(fields({}), null)
})

test('a person reads which host said what', () => {
  const { parts } = write()
  assert.match(
    parts[0]!,
    / {2}bob@hamburger\.edu\r\n {4}mx\.hamburger\.edu answered: 550 5\.1\.1 No such user/,
  )
})

test('a reason of our own names no remote host', () => {
  const outcome = { ...refused, host: null, text: 'hamburger.edu takes no mail' }
  const { parts } = write({ recipients: [{ recipient: bob, outcome, action: 'failed' }] })
  assert.ok(!parts[1]!.includes('Remote-MTA'))
  assert.match(parts[1]!, /Diagnostic-Code: x-posthorn; hamburger\.edu takes no mail/)
})

test('a hostile reply begins no field, no line and no part of the report', () => {
  const evil = '550 no\r\nAction: delivered\r\n\r\n--boundary\r\n\0\x1b[2J ' + 'x'.repeat(5000)
  const { parts, text } = write({
    recipients: [{ recipient: bob, outcome: { ...refused, text: harmless(evil) }, action: 'failed' }],
  })
  assert.equal(parts.length, 3)
  assert.equal(text.match(/^Action:/gm)!.length, 1)
  assert.ok(!/[^\t\r\n\x20-\x7e]/.test(text))
  assert.ok(parts[1]!.length < 2000)
})

test('an original header with odd octets and endless lines still makes a 7-bit report of short lines', () => {
  const original = headerOf(`Subject: \xe4\0 ${'y'.repeat(5000)}\nX: z\r\n`)
  const { octets, text } = write({ original })
  assert.ok(octets.every((octet) => octet < 128 && octet !== 0))
  assert.ok(text.split('\r\n').every((line) => line.length <= 998 && !/[\r\n]/.test(line)))
})

test('an original header of lines that are just not too long takes no long time', () => {
  const before = process.cpuUsage()
  write({ original: headerOf(`Subject: x\r\n${` ${'y'.repeat(996)}\r\n`.repeat(260)}`) })
  assert.ok(process.cpuUsage(before).user < 1_500_000)
})

test('a Message-ID that is none is not answered to', () => {
  const { octets } = write({ original: headerOf('Message-ID: <a\x01b@c>\r\n') })
  assert.deepEqual(headerValues(octets, 'In-Reply-To'), [])
})

test('an address beyond ASCII is reported in its 7-bit form, and to a sender beyond ASCII as UTF-8', () => {
  const björn = { ...bob, forwardPath: 'björn@hamburger.edu' }
  const { parts } = write({ recipients: [{ recipient: björn, outcome: refused, action: 'failed' }] })
  assert.match(parts[1]!, /Final-Recipient: utf-8; bj\\x\{F6\}rn@hamburger\.edu/)
  const report = writeReport({
    action: 'failed',
    entry: entry({ reversePath: 'zoë@crepes.fr' }),
    recipients: [{ recipient: bob, outcome: refused, action: 'failed' }],
    original: null,
    hostname: 'mail.crepes.fr',
    now: start,
    random: seededRandom(1),
  })
  assert.ok(report.smtpUtf8)
  assert.ok(report.octets.includes(Buffer.from('To: <zoë@crepes.fr>\r\n')))
})

test('a warning says how long it is tried, a late failure how long it was', () => {
  const warning = write({
    action: 'delayed',
    recipients: [{ recipient: bob, outcome: refused, action: 'delayed' }],
    now: start + day / 6,
  })
  assert.match(warning.parts[1]!, /Action: delayed/)
  assert.match(warning.parts[1]!, /Will-Retry-Until: Tue, 06 Jan 2026 00:00:00 \+0000/)
  assert.match(write({ now: start + 5 * day }).parts[0]!, /tried for 5 days/)
})

test('one report tells of several recipients, each with what became of it', () => {
  const taken = { ...refused, kind: 'delivered', status: '2.0.0', text: '250 2.0.0 Ok' } as const
  const { parts, octets } = write({
    recipients: [
      { recipient: bob, outcome: refused, action: 'failed' },
      { recipient: { ...bob, forwardPath: 'carol@hamburger.edu' }, outcome: taken, action: 'relayed' },
      { recipient: { ...bob, forwardPath: 'all@hamburger.edu' }, outcome: taken, action: 'expanded' },
    ],
  })
  assert.deepEqual(parts[1]!.match(/^Action: .*$/gm), [
    'Action: failed',
    'Action: relayed',
    'Action: expanded',
  ])
  assert.match(
    parts[0]!,
    /could not be delivered to:[\s\S]*bob@[\s\S]*passed on to a server[\s\S]*carol@[\s\S]*members of:[\s\S]*all@/,
  )
  assert.deepEqual(headerValues(octets, 'Subject'), ['Your letter could not be delivered'])
})

test('a letter goes back whole as it was, eight bits and all', () => {
  const letter = 'Subject: Ketchup?\r\n\r\nOn a cr\xeape?\r\n'
  const original = { octets: Buffer.from(letter, 'latin1'), whole: true }
  const report = writeReport({
    ...{ action: 'failed', entry: entry(), original, hostname: 'mail.crepes.fr', now: start },
    recipients: [{ recipient: bob, outcome: refused, action: 'failed' }],
    random: seededRandom(1),
  })
  const { root } = scanMessage(report.octets)
  const third = root.parts[2]!
  assert.equal(`${third.type}/${third.subtype}`, 'message/rfc822')
  const text = report.octets.toString('latin1')
  assert.equal(text.slice(third.bodyOffset, third.bodyOffset + third.octets), letter)
  assert.deepEqual([report.eightBit, report.smtpUtf8], [true, false])
  assert.deepEqual(headerValues(report.octets, 'Content-Transfer-Encoding'), ['8bit'])
})

test('about a letter of RFC 6531 the report is that of RFC 6533', () => {
  const björn = { ...bob, forwardPath: 'björn@hamburger.edu', orcpt: 'utf-8;bj\\x{F6}rn+40hamburger.edu' }
  const { octets } = write({
    entry: entry({ smtpUtf8: true }),
    recipients: [{ recipient: björn, outcome: refused, action: 'failed' }],
    original: headerOf(Buffer.from('Subject: Crêpe?\r\n').toString('latin1')),
  })
  const { root } = scanMessage(octets)
  const kinds = root.parts.map((part) => `${part.type}/${part.subtype}`)
  assert.deepEqual(kinds, ['text/plain', 'message/global-delivery-status', 'message/global-headers'])
  const [, status] = root.parts
  const body = octets.subarray(status!.bodyOffset, status!.bodyOffset + status!.octets)
  const read = decodeQuotedPrintable(body).toString('utf8')
  assert.match(read, /^Final-Recipient: utf-8; björn@hamburger\.edu\r$/m)
  assert.match(read, /^Original-Recipient: utf-8; björn@hamburger\.edu\r$/m)
  assert.ok(
    octets.every((octet) => octet < 128),
    'the report itself needs no SMTPUTF8',
  )
})
