import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import type { Email } from '../../store/store.ts'
import type { LetterFacts } from './received-reports.ts'
import { LetterTaker } from './take-letter.ts'

/** What is told of a letter with these results above it. */
async function factsOf(results: string): Promise<Omit<LetterFacts, 'receivedAt'>> {
  const { promise, resolve } = Promise.withResolvers<LetterFacts>()
  const prefix = `Return-Path: <a@crepes.fr>\r\n${results}`
  const email = { prefix, body: { octets: 3 } } as unknown as Email
  const taker = new LetterTaker({
    store: { getEmails: async () => [email], readBody: async () => Buffer.from('abc') },
    reports: { take: async (_message: Uint8Array, facts: LetterFacts) => resolve(facts) } as never,
    ...{ hostname: 'mail.hamburger.edu', octetsMax: 100, clock: new FakeClock(), log: silentLog },
  })
  taker.take({ accountId: 1, emailId: 1 })
  const { receivedAt: _, ...facts } = await promise
  return facts
}

const ours = (results: string): string => `Authentication-Results: mail.hamburger.edu;\r\n ${results}\r\n`

const cases: [field: string, verified: boolean, unsigned: boolean][] = [
  ['', false, false],
  ['Authentication-Results: mx.evil.example; dkim=none; dmarc=pass\r\n', false, false],
  [ours('dkim=pass header.d=crepes.fr; dmarc=pass header.from=crepes.fr'), true, false],
  [ours('dkim=pass header.d=crepes.fr; dmarc=none header.from=tls.crepes.fr'), false, false],
  [
    ours('dkim=fail header.d=crepes.fr; dkim=pass header.d=x.crepes.fr; dmarc=pass header.from=crepes.fr'),
    true,
    false,
  ],
  [ours('spf=pass; dkim=none; dmarc=pass header.from=crepes.fr'), true, true],
  [ours('dkim=pass header.d=evil.example; dmarc=pass header.from=crepes.fr'), true, true],
  [ours('dkim=temperror header.d=crepes.fr; dmarc=temperror header.from=crepes.fr'), false, true],
  // Signatures are not looked at here.
  [ours('spf=pass smtp.mailfrom=a@crepes.fr'), false, false],
]

for (const [field, verified, unsigned] of cases) {
  test(`${JSON.stringify(field)} proves ${verified ? 'the author' : 'nothing'}${unsigned ? ', unsigned' : ''}`, async () =>
    assert.deepEqual(await factsOf(field), { verified, unsigned }))
}
