/** The door for mail from a server of one's own, RFC 2033. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreUnavailable } from '../../src/store/errors.ts'
import { replay } from '../harness/replay.ts'
import { type HarnessOptions, openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'

async function withLmtp(
  work: (own: SmtpHarness) => Promise<void>,
  options: HarnessOptions = {},
): Promise<void> {
  const own = await openSmtpDoor({ ...options, door: { role: 'lmtp', ...options.door } })
  try {
    await work(own)
  } finally {
    await own.close()
  }
}

const hello = `
  S: 220 mail.hamburger.edu LMTP
  C: LHLO front.hamburger.edu
  S: (…)`
const envelope = `
  C: MAIL FROM:<chris@bar.example>
  S: 250 2.1.0 Originator ok
  C: RCPT TO:<bob@hamburger.edu>
  S: 250 2.1.5 Recipient ok
  C: RCPT TO:<jones@hamburger.edu>
  S: 550 5.1.1 No such user here
  C: RCPT TO:<carol@hamburger.edu>
  S: 250 2.1.5 Recipient ok`

test('RFC 2033 §4.2: after the dot one reply for each recipient that was good', () =>
  withLmtp(async (own) => {
    await replay(
      own.endpoint,
      `
      S: 220 mail.hamburger.edu LMTP
      C: EHLO front.hamburger.edu
      S: 500 5.5.2 Command not recognized
      C: HELO front.hamburger.edu
      S: 500 5.5.2 Command not recognized
      C: MAIL FROM:<chris@bar.example>
      S: 503 5.5.1 Say LHLO first
      C: LHLO front.hamburger.edu
      S: (…)
      C: MAIL FROM:<chris@bar.example>
      C: RCPT TO:<jones@hamburger.edu>
      C: DATA
      S: 250 2.1.0 Originator ok
      S: 550 5.1.1 No such user here
      S: 503 5.5.1 No valid recipients
      C: RSET
      S: 250 2.0.0 Reset${envelope}
      C: DATA
      S: 354 <…>
      C: Authentication-Results: mail.hamburger.edu; spf=pass
      C: Subject: LMTP
      C:
      C: .
      S: 250 2.0.0 Message accepted for delivery, <…>
      S: 250 2.0.0 Message accepted for delivery, <…>${envelope}
      C: BDAT 2 LAST
      C-raw: ${JSON.stringify('\r\n')}
      S: 250 2.0.0 Message accepted for delivery, <…>
      S: 250 2.0.0 Message accepted for delivery, <…>
      C: QUIT
      S: 221 2.0.0 mail.hamburger.edu closing connection
      S: (closed)
    `,
    )
    const [letter] = await own.inbox('carol@hamburger.edu')
    assert.match(letter!, /with\s+LMTP\s+id/)
    // The server before this one has judged it.
    assert.match(letter!, /\r\nAuthentication-Results: mail\.hamburger\.edu; spf=pass\r\n/)
    assert.equal((await own.inbox('bob@hamburger.edu')).length, 2)
  }))

test('an account that goes while the message comes has its own answer, and holds up nobody else', () => {
  let gone: () => Promise<void> = async () => {}
  const meanwhile = {
    name: 'meanwhile',
    open: () => ({
      async data() {
        await gone()
        return null
      },
    }),
  }
  return withLmtp(
    async (own) => {
      gone = () => own.store.removeAccount('carol@hamburger.edu')
      await replay(
        own.endpoint,
        `${hello}${envelope}
        C: DATA
        S: 354 <…>
        C: .
        S: 250 2.0.0 Message accepted for delivery, <…>
        S: 550 5.1.1 No such user here
      `,
      )
      assert.equal((await own.inbox('bob@hamburger.edu')).length, 1)
    },
    { door: { filters: [meanwhile] } },
  )
})

test('trouble of our own is said to each of them, and nothing is kept', () =>
  withLmtp(
    async (own) => {
      await replay(
        own.endpoint,
        `${hello}${envelope}
        C: DATA
        S: 354 <…>
        C: .
        S: 452 4.3.1 <…>
        S: 452 4.3.1 <…>
        C: NOOP
        S: 250 2.0.0 Ok
      `,
      )
      assert.deepEqual(await own.inbox('bob@hamburger.edu'), [])
    },
    {
      wrapStore: (store) =>
        new Proxy(store, {
          get(target, name) {
            if (name === 'accept') return async () => [new StoreUnavailable('disk full')]
            const value: unknown = Reflect.get(target, name)
            return typeof value === 'function' ? value.bind(target) : value
          },
        }),
    },
  ))

test('nothing is relayed for strangers here either, and nobody logs in', () =>
  withLmtp((own) =>
    replay(
      own.endpoint,
      `${hello}
      C: AUTH PLAIN
      S: 502 5.5.1 AUTH is not offered here
      C: MAIL FROM:<chris@bar.example>
      S: 250 2.1.0 Originator ok
      C: RCPT TO:<alice@crepes.fr>
      S: 550 5.7.1 Relaying denied
    `,
    ),
  ))
