/** Conversations with a door that is guarded. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { type GuardsConfig, noGuards } from '../../src/base/guards-config.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { mapResolver, type RecordMap } from '../../src/dns/map-resolver.ts'
import { createImapDoor } from '../../src/imap/server/door.ts'
import type { ImapDoorOptions } from '../../src/imap/server/options.ts'
import { createPop3Door } from '../../src/pop3/server/door.ts'
import type { Pop3DoorOptions } from '../../src/pop3/server/options.ts'
import { createSmtpDoor } from '../../src/smtp/server/door.ts'
import type { SmtpDoorOptions } from '../../src/smtp/server/options.ts'
import { createGuards } from '../../src/smtp/guard/create-guards.ts'
import { memoryNotes } from '../../src/store/notes/open-notes.ts'
import { attack } from '../attack/client.ts'
import { replay } from '../harness/replay.ts'
import { type HarnessOptions, openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

interface Guarded {
  readonly config?: Partial<GuardsConfig>
  readonly limits?: Partial<Limits>
  readonly dns?: RecordMap
  readonly door?: HarnessOptions['door']
}

async function guarded(options: Guarded, work: (harness: SmtpHarness) => Promise<void>): Promise<void> {
  const limits = { ...defaultLimits, ...options.limits }
  const guards = createGuards({
    config: { ...noGuards, ...options.config },
    limits,
    clock: systemClock,
    log: silentLog,
    notes: memoryNotes(systemClock, silentLog),
    resolver: mapResolver(options.dns ?? {}),
  })
  const door = { filters: guards.filters, ...options.door }
  const harness = await openSmtpDoor({ limits, door })
  try {
    await work(harness)
  } finally {
    await harness.close()
  }
}

const greeted = `
  S: 220 mail.hamburger.edu ESMTP
  C: HELO crepes.fr
  S: 250 mail.hamburger.edu
`

describe('a client that only talks', () => {
  const idle = `
    ${greeted}
    C: NOOP
    S: 250 <…>
    C: RSET
    S: 250 <…>
  `

  test('is sent away, unless a message comes in between', () =>
    guarded({ limits: { idleCommands: 3 } }, ({ endpoint }) =>
      replay(
        endpoint,
        `${idle}
        C: MAIL FROM:<alice@crepes.fr>
        S: 250 2.1.0 Originator ok
        C: RCPT TO:<bob@hamburger.edu>
        S: 250 2.1.5 Recipient ok
        C: DATA
        S: 354 <…>
        C: .
        S: 250 <…>
        C: NOOP
        S: 250 <…>
        C: RSET
        S: 250 <…>
        C: VRFY bob
        S: 252 <…>
        C: NOOP
        S: 421 4.7.0 Too many commands without a message
        S: (closed)
      `,
      ),
    ))

  test('may go on when it is trusted', () =>
    guarded({ limits: { idleCommands: 1 }, door: { trusted: ['127.0.0.1'] } }, ({ endpoint }) =>
      replay(endpoint, `${idle}\nC: QUIT\nS: 221 <…>\nS: (closed)`),
    ))
})

test('who talks before the greeting hears why and is gone', () =>
  guarded({ limits: { greetingDelayMs: 1_000 } }, async ({ endpoint, journeys }) => {
    const one = await attack(endpoint)
    one.send('EHLO crepes.fr\r\n')
    await one.rest()
    assert.equal(one.received, '554 5.5.1 You spoke before the greeting\r\n')
    // The server learns a moment later that the client has gone.
    while (journeys.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const refusals = journeys.flatMap(({ events }) => events).filter(({ kind }) => kind === 'refuse')
    assert.deepEqual(
      refusals.map(({ data }) => [data['stage'], data['text']]),
      [['connect', '554 5.5.1 You spoke before the greeting']],
    )
  }))

test('a sender of a domain that does not exist is refused, one that was greylisted told when to come again', () =>
  guarded(
    { config: { senderDomain: true, greylist: true }, dns: { 'crepes.fr': { A: ['192.0.2.1'] } } },
    ({ endpoint }) =>
      replay(
        endpoint,
        `${greeted}
        C: MAIL FROM:<alice@nowhere.example>
        S: 550 5.1.8 The domain of the sender does not exist or has no mail host
        C: MAIL FROM:<alice@crepes.fr>
        S: 250 2.1.0 Originator ok
        C: RCPT TO:<bob@hamburger.edu>
        S: 450 4.7.1 Greylisted, try again in 60 seconds
        C: QUIT
        S: 221 <…>
        S: (closed)
      `,
      ),
  ))

test('a report to a second recipient is put off, the first one has it', () =>
  guarded({}, async ({ endpoint, inbox }) => {
    await replay(
      endpoint,
      `${greeted}
      C: MAIL FROM:<>
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<bob@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: RCPT TO:<carol@hamburger.edu>
      S: 452 4.5.3 One recipient at a time for a message without a sender
      C: DATA
      S: 354 <…>
      C: Subject: Undelivered
      C:
      C: .
      S: 250 <…>
      C: QUIT
      S: 221 <…>
      S: (closed)
    `,
    )
    assert.equal((await inbox('bob@hamburger.edu')).length, 1)
    assert.equal((await inbox('carol@hamburger.edu')).length, 0)
  }))

test('a wrong password is a refusal like any other, and what was said stays secret', () =>
  guarded({ door: { role: 'submission' } }, async ({ endpoint, journeys }) => {
    await replay(
      endpoint,
      `${greeted}
      C: AUTH PLAIN AGJvYgBmdWxs
      S: 535 5.7.8 Login or password is wrong
      C: QUIT
      S: 221 <…>
      S: (closed)
    `,
    )
    while (journeys.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const [journey] = journeys
    assert.equal(journey?.facts?.remoteAddress, '127.0.0.1')
    const [refusal] = journey.events.filter(({ kind }) => kind === 'refuse')
    assert.equal(refusal?.data['stage'], 'login')
    assert.ok(!JSON.stringify(journeys).includes('AGJvYgBmdWxs'))
  }))

test('a door for TLS from the first octet is not made without a certificate', () => {
  const options = { implicitTls: true, tls: null }
  assert.throws(() => createSmtpDoor(options as unknown as SmtpDoorOptions), /needs a certificate/)
  assert.throws(() => createImapDoor(options as unknown as ImapDoorOptions), /needs a certificate/)
  assert.throws(() => createPop3Door(options as unknown as Pop3DoorOptions), /needs a certificate/)
})
