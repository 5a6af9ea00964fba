import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DmarcResult } from '../mailauth/dmarc/evaluate.ts'
import type { JudgedMessage } from '../smtp/guard/judge-sender.ts'
import { dmarcObservation, tlsObservation } from './observe.ts'

const record = 'v=DMARC1; p=reject; rua=mailto:dmarc@crepes.fr'

type Dkim = readonly [domain: string | null, selector: string, result: string]

/** What the judge says, as far as reports care. */
function judged(
  dmarc: Partial<DmarcResult>,
  more: Partial<JudgedMessage> & {
    trustedHop?: string
    dkim?: readonly Dkim[]
    hasListId?: boolean
  } = {},
): JudgedMessage {
  const { trustedHop = null, dkim = [], hasListId = false, ...rest } = more
  return {
    ...{ reversePath: 'alice@Mail.crepes.fr', recipients: ['bob@hamburger.edu'], remoteAddress: '192.0.2.1' },
    disposition: 'none',
    findings: {
      ...{ iprev: null, helo: null, spf: { domain: 'mail.crepes.fr', result: 'fail' }, trustedHop },
      message: { dkim: dkim.map(([domain, selector, result]) => ({ domain, selector, result })), hasListId },
      dmarc: {
        ...{ result: 'fail', authorDomain: 'crepes.fr', policyDomain: 'crepes.fr', record, policy: 'reject' },
        ...{ testing: false, aligned: [], missing: [], ...dmarc },
      },
    } as unknown as JudgedMessage['findings'],
    ...rest,
  }
}

test('what DMARC did is told with the reason why it was something else than asked', () => {
  const cases: readonly [JudgedMessage, string, string | null][] = [
    [judged({}, { disposition: 'reject' }), 'reject', null],
    [judged({}), 'none', 'local_policy'],
    [judged({ testing: true }), 'none', 'policy_test_mode'],
    [judged({}, { disposition: 'quarantine', hasListId: true }), 'quarantine', 'local_policy'],
    [
      judged({}, { disposition: 'quarantine', hasListId: true, dkim: [['list.example', 'b', 'pass']] }),
      'quarantine',
      'mailing_list',
    ],
    [judged({}, { trustedHop: 'lists.example' }), 'none', 'trusted_forwarder'],
    [judged({ result: 'temperror' }), 'none', 'other'],
    [judged({ policy: 'none' }), 'none', null],
    [judged({ policy: 'quarantine' }, { disposition: 'quarantine' }), 'quarantine', null],
    [judged({ result: 'pass', aligned: ['spf=crepes.fr'] }), 'pass', null],
    [judged({ result: 'pass', policy: 'none', aligned: ['dkim=crepes.fr'] }), 'none', null],
  ]
  for (const [message, disposition, reason] of cases) {
    const found = dmarcObservation(message, 7)!
    assert.deepEqual([found.disposition, found.reasons[0]?.type ?? null], [disposition, reason])
  }
})

test('who said what is told as it was found, signatures that help most first', () => {
  const dkim: Dkim[] = [
    ['spam.example', 'a', 'fail'],
    ['list.example', 'b', 'pass'],
    ['mail.crepes.fr', 'c', 'pass'],
    [null, 'd', 'permerror'],
    ['crepes.fr', 'e', 'pass'],
  ]
  const found = dmarcObservation(judged({ result: 'pass', aligned: ['dkim=crepes.fr'] }, { dkim }), 7)!
  assert.deepEqual(
    found.dkim.map(({ selector }) => selector),
    ['e', 'c', 'b', 'a'],
  )
  const { sourceAddress, reversePathDomain, headerFromDomain, spf, aligned, at, rua } = found
  assert.deepEqual(
    [at, sourceAddress, reversePathDomain, headerFromDomain],
    [7, '192.0.2.1', 'mail.crepes.fr', 'crepes.fr'],
  )
  assert.deepEqual(spf, { domain: 'mail.crepes.fr', result: 'fail' })
  assert.deepEqual([aligned, rua], [{ spf: false, dkim: true }, 'mailto:dmarc@crepes.fr'])
  assert.equal(dmarcObservation(judged({}, { reversePath: '' }), 7)!.reversePathDomain, '')
})

test('what nobody wants to hear is not observed', () => {
  assert.equal(dmarcObservation(judged({ record: 'v=DMARC1; p=reject' }), 7), null)
  assert.equal(dmarcObservation(judged({ record: null, policyDomain: null }), 7), null)
  assert.equal(dmarcObservation(judged({ authorDomain: null }), 7), null)
})

test('sessions are told without a policy, as the queue looks for none', () => {
  const session = {
    mxHost: 'mx.crepes.fr',
    sendingAddress: null,
    receivingAddress: '192.0.2.1',
    failure: null,
    reason: null,
  }
  const { policy, domain } = tlsObservation({ domain: 'crepes.fr', reversePath: '', ...session }, 7)
  assert.deepEqual([policy.type, domain], ['no-policy-found', 'crepes.fr'])
})
