/** What filters see of a session and what becomes of what they say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilterClient, FilterEnding, FilterSession, SmtpFilter } from '../../src/smtp/filter/filter.ts'
import { FakeClock } from '../../src/base/clock.ts'
import { refuse } from '../../src/smtp/wire/reply.ts'
import { replay, speakTo } from '../harness/replay.ts'
import { openSmtpDoor, type HarnessOptions, type SmtpHarness } from '../harness/smtp-door.ts'

async function withFilters(
  filters: readonly SmtpFilter[],
  work: (harness: SmtpHarness) => Promise<void>,
  options: HarnessOptions = {},
): Promise<void> {
  const own = await openSmtpDoor({ ...options, door: { ...options.door, filters } })
  try {
    await work(own)
  } finally {
    await own.close()
  }
}

function filter(name: string, open: (client: FilterClient) => FilterSession | null): SmtpFilter {
  return { name, open }
}

const endsWith = (name: string, ending: FilterEnding): SmtpFilter =>
  filter(name, () => ({ end: () => ending }))

const hello = `
  S: 220 mail.hamburger.edu ESMTP
  C: HELO crepes.fr
  S: 250 mail.hamburger.edu`
const upToData = `
  C: MAIL FROM:<alice@crepes.fr>
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 2.1.5 Recipient ok
  C: DATA
  S: 354 Start mail input; end with <CRLF>.<CRLF>`
const letter = `${upToData}
  C: From: alice@crepes.fr
  C: Subject: Ketchup
  C:
  C: ..dots
  C: .`

test('a filter hears every step of the session in its order, and the octets as received', async () => {
  const heard: string[] = []
  const all = filter('all', (client) => {
    heard.push(`open ${client.role} ${client.remoteAddress} ${client.waitingOctets}`)
    const note = (text: string): null => {
      heard.push(text)
      return null
    }
    return {
      connect: () => note('connect'),
      hello: async () => note(`hello ${client.clientName} ${client.extended}`),
      mail: (path, parameters) => note(`mail <${path}> ${parameters.join(' ')}`),
      rcpt: async (path, _parameters, known) => note(`rcpt <${path}> ${known}`),
      data: () => note('data'),
      octets: async (chunk) => void heard.push(`octets ${Buffer.from(chunk).toString('latin1')}`),
      end({ reversePath, recipients, octets }) {
        heard.push(`end <${reversePath}> ${recipients.join()} ${octets}`)
        return {}
      },
      reset: () => void heard.push('reset'),
      close: () => void heard.push('close'),
    }
  })
  await withFilters([all], async (own) => {
    await replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: EHLO crepes.fr
      S: (…)
      C: MAIL FROM:<alice@crepes.fr> size=10 BODY=8BITMIME
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<nobody@hamburger.edu>
      S: 550 5.1.1 No such user here
      C: RCPT TO:<Postmaster>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      C: ..
      C: .
      S: 250 2.0.0 <…>
      C: QUIT
      S: 221 2.0.0 <…>
      S: (closed)
    `,
    )
  })
  const octets = heard.filter((line) => line.startsWith('octets ')).map((line) => line.slice(7))
  assert.equal(octets.join(''), '.\r\n')
  assert.deepEqual(
    heard.filter((line) => !line.startsWith('octets ')),
    [
      'open mx 127.0.0.1 0',
      'connect',
      'hello crepes.fr true',
      'mail <alice@crepes.fr> SIZE=10 BODY=8BITMIME',
      'rcpt <nobody@hamburger.edu> false',
      'rcpt <Postmaster@hamburger.edu> true',
      'data',
      'end <alice@crepes.fr> Postmaster@hamburger.edu 3',
      'reset',
      'close',
    ],
  )
})

test('a refusal before the greeting is the greeting, and the connection ends', () =>
  withFilters([filter('door', () => ({ connect: () => refuse(554, '5.7.1', 'Go away') }))], (own) =>
    replay(own.endpoint, 'S: 554 5.7.1 Go away\nS: (closed)'),
  ))

test('the first refusal counts, at each step; 421 closes; later filters are not asked', async () => {
  let later = 0
  const first = filter('first', () => ({
    hello: () => refuse(450, '4.7.1', 'Not yet'),
    mail: async (path) => (path === '' ? refuse(550, '5.7.1', 'No reports') : null),
    rcpt: (path) => (path.startsWith('carol') ? refuse(450, '4.7.1', 'Come again') : null),
    data: () => refuse(421, '4.7.0', 'That will do'),
  }))
  const second = filter('second', () => ({
    hello: () => {
      later++
      return null
    },
  }))
  await withFilters([first, second], (own) =>
    replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu ESMTP
      C: HELO crepes.fr
      S: 450 4.7.1 Not yet
      C: MAIL FROM:<>
      S: 503 5.5.1 Say EHLO or HELO first
    `,
    ),
  )
  assert.equal(later, 0)
  const polite = filter('polite', (client) => ({ ...first.open(client), hello: () => null }))
  await withFilters([polite, second], (own) =>
    replay(
      own.endpoint,
      `${hello}
      C: MAIL FROM:<>
      S: 550 5.7.1 No reports
      C: MAIL FROM:<alice@crepes.fr>
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<carol@hamburger.edu>
      S: 450 4.7.1 Come again
      C: RCPT TO:<nobody@hamburger.edu>
      S: 550 5.1.1 No such user here
      C: RCPT TO:<bob@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 421 4.7.0 That will do
      S: (closed)
    `,
    ),
  )
  assert.equal(later, 1)
})

test('who waits before the greeting sees how much was said too early', async () => {
  let waiting = 0
  const early = filter('early', (client) => ({
    async connect() {
      while (client.waitingOctets === 0) await new Promise((resolve) => setImmediate(resolve))
      waiting = client.waitingOctets
      return null
    },
  }))
  await withFilters([early], async (own) => {
    const speaker = await speakTo(own.endpoint)
    speaker.send('HELO crepes.fr\r\n')
    await speaker.expect('220 mail.hamburger.edu ESMTP')
    await speaker.expect('250 mail.hamburger.edu')
    speaker.socket.destroy()
  })
  assert.equal(waiting, 16)
})

test('fields of filters stand under Received in their order, and the message is otherwise as it came', () =>
  withFilters(
    [endsWith('one', { fields: ['X-One: 1\r\n'] }), endsWith('two', { fields: ['X-Two: 2\r\n'] })],
    async (own) => {
      await replay(own.endpoint, `${hello}${letter}\nS: 250 2.0.0 <…>`)
      const [text] = await own.inbox('bob@hamburger.edu')
      assert.match(text!, /^Return-Path: .*\r\nReceived: [\s\S]*\d\r\nX-One: 1\r\nX-Two: 2\r\nFrom: alice/)
      assert.ok(text!.endsWith('\r\n\r\n.dots\r\n'))
    },
  ))

test('a message that is refused or thrown away at its end is not kept', async () => {
  await withFilters([endsWith('no', { refusal: refuse(550, '5.7.1', 'Spam') })], async (own) => {
    await replay(own.endpoint, `${hello}${letter}\nS: 550 5.7.1 Spam\nC: NOOP\nS: 250 2.0.0 Ok`)
    assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
  })
  await withFilters([endsWith('away', { discard: true })], async (own) => {
    await replay(own.endpoint, `${hello}${letter}\nS: 250 2.0.0 Message accepted for delivery, <…>`)
    assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
  })
  await withFilters([endsWith('away', { removeRecipients: ['BOB@hamburger.edu'] })], async (own) => {
    await replay(own.endpoint, `${hello}${letter}\nS: 250 2.0.0 Message accepted for delivery, <…>`)
    assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
  })
})

test('a filter changes the message, its sender and its recipients', () =>
  withFilters(
    [
      endsWith('milter', {
        message: Buffer.from('Subject: Mustard\r\n\r\nAnother body\r\n'),
        reversePath: 'owner@crepes.fr',
        addRecipients: ['carol@hamburger.edu', 'dan@elsewhere.example', 'nobody@hamburger.edu'],
        removeRecipients: ['bob@hamburger.edu'],
      }),
    ],
    async (own) => {
      await replay(own.endpoint, `${hello}${letter}\nS: 250 2.0.0 <…>`)
      assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
      const [text] = await own.inbox('carol@hamburger.edu')
      assert.match(
        text!,
        /^Return-Path: <owner@crepes\.fr>\r\n[\s\S]*\r\nSubject: Mustard\r\n\r\nAnother body\r\n$/,
      )
      const [entry] = await own.store.listQueue(10)
      assert.equal(entry!.recipients[0]!.forwardPath, 'dan@elsewhere.example')
      assert.equal(entry!.reversePath, 'owner@crepes.fr')
    },
  ))

test('what a filter makes of a message is checked like a message', () =>
  withFilters([endsWith('milter', { message: Buffer.from('Subject: a\n\nbare LF\n') })], async (own) => {
    await replay(own.endpoint, `${hello}${letter}\nS: 550 5.6.0 <…>`)
    assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
  }))

test('a filter that throws is trouble of our own, at any step', async () => {
  const boom = (): never => {
    throw new Error('boom')
  }
  for (const [session, transcript] of [
    [{ connect: boom }, 'S: 421 4.3.0 <…>\nS: (closed)'],
    [{ mail: boom }, `${hello}\nC: MAIL FROM:<a@b.example>\nS: 451 4.3.0 <…>\nC: NOOP\nS: 250 2.0.0 Ok`],
    [{ octets: boom }, `${hello}${letter}\nS: 451 4.3.0 <…>\nC: NOOP\nS: 250 2.0.0 Ok`],
    [{ end: async () => boom() }, `${hello}${letter}\nS: 451 4.3.0 <…>\nC: NOOP\nS: 250 2.0.0 Ok`],
    [{ reset: boom }, `${hello}${letter}\nS: 250 2.0.0 <…>\nC: NOOP\nS: 250 2.0.0 Ok`],
  ] as [FilterSession, string][]) {
    await withFilters([filter('bad', () => session)], (own) => replay(own.endpoint, transcript))
  }
})

test('past checkTimeoutMs the client is told to come again', async () => {
  const clock = new FakeClock()
  const slow = filter('slow', () => ({
    end() {
      setImmediate(() => clock.advance(30_000))
      return new Promise<never>(() => {})
    },
  }))
  await withFilters(
    [slow],
    (own) => replay(own.endpoint, `${hello}${letter}\nS: 451 4.3.0 Checking took too long, try again later`),
    { door: { clock } },
  )
})

test('RFC 8601 §5: Authentication-Results in our name are taken out of what strangers send', () =>
  withFilters([], async (own) => {
    await replay(
      own.endpoint,
      `${hello}${upToData}
      C: Authentication-Results: mail.hamburger.edu;
      C-raw: ${JSON.stringify('  spf=pass smtp.mailfrom=boss@hamburger.edu\r\n')}
      C: Subject: forged
      C: authentication-results: (hm) "mail.hamburger.edu" 1; none
      C: Authentication-Results: mx.crepes.fr; none
      C:
      C: Authentication-Results: mail.hamburger.edu; none
      C: .
      S: 250 2.0.0 <…>
    `,
    )
    const [text] = await own.inbox('bob@hamburger.edu')
    assert.ok(
      text!.endsWith(
        '\r\nSubject: forged\r\nAuthentication-Results: mx.crepes.fr; none\r\n\r\n' +
          'Authentication-Results: mail.hamburger.edu; none\r\n',
      ),
    )
    assert.doesNotMatch(text!, /spf=pass/)
  }))

test('what is handed in is signed as it goes on: without Bcc, with the fields that were added', async () => {
  const signed: string[] = []
  const signer = {
    open() {
      let text = ''
      return {
        push: (octets: Uint8Array) => void (text += Buffer.from(octets).toString('latin1')),
        async finish(domain: string, fields: readonly string[]) {
          signed.push(`${domain}\n${fields.map((field) => field.split(':')[0]).join()}\n${text}`)
          return ['DKIM-Signature: v=1; x\r\n']
        },
      }
    },
  }
  await withFilters(
    [endsWith('one', { fields: ['X-One: 1\r\n'] })],
    async (own) => {
      await replay(
        own.endpoint,
        `${hello}
      C: AUTH PLAIN ${Buffer.from('\0bob\0hungry').toString('base64')}
      S: 235 2.7.0 Authentication successful
      C: MAIL FROM:<bob@hamburger.edu>
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<carol@hamburger.edu>
      S: 250 2.1.5 Recipient ok
      C: DATA
      S: 354 Start mail input; end with <CRLF>.<CRLF>
      C: From: Bob <bob@Hamburger.EDU>
      C: Bcc: secret@crepes.fr
      C:
      C: Hello
      C: .
      S: 250 2.0.0 <…>
    `,
      )
      const [text] = await own.inbox('carol@hamburger.edu')
      assert.match(text!, /\r\nX-One: 1\r\nDKIM-Signature: v=1; x\r\nDate: .*\r\nMessage-ID: .*\r\nFrom: Bob/)
    },
    { door: { role: 'submission', signer } },
  )
  assert.deepEqual(signed, ['hamburger.edu\nDate,Message-ID\nFrom: Bob <bob@Hamburger.EDU>\r\n\r\nHello\r\n'])
})
