import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import type { DkimResult } from '../dkim/verifier.ts'
import type { SpfIdentityResult } from '../spf/check-spf.ts'
import { evaluateDmarc } from './evaluate.ts'
import { isDmarcRecord, parseDmarcRecord } from './record.ts'
import { walkTargets } from './tree-walk.ts'

const dkim = (domain: string, result: DkimResult['result'] = 'pass'): DkimResult => ({
  ...{ result, domain, reason: null, selector: 's', algorithm: 'rsa-sha256', identity: `@${domain}` },
  ...{ shortSignature: 'abcdefgh', record: null, keyBits: 2_048, testing: false },
  ...{ signedBodyOctets: null, bodyOctets: 1 },
})
const spf = (domain: string, result: SpfIdentityResult['result'] = 'pass'): SpfIdentityResult => ({
  ...{ result, domain, identity: 'mailfrom', reason: null, record: null, mechanism: null, explanation: null },
  ...{ lookups: 0, voidLookups: 0, asked: [] },
})

const txt = (text: string) => ({ TXT: [text] })

async function judge(
  records: RecordMap,
  authorDomain: string,
  evidence: { readonly spf?: SpfIdentityResult; readonly dkim?: readonly DkimResult[] } = {},
) {
  const resolver = mapResolver(records)
  const found = { authorDomain, spf: evidence.spf ?? null, dkim: evidence.dkim ?? [] }
  return { ...(await evaluateDmarc(resolver, found)), asked: resolver.asked }
}

const reject = { '_dmarc.crepes.example': txt('v=DMARC1; p=reject; sp=quarantine') }

test('one aligned identifier that passed is enough', async () => {
  for (const evidence of [
    { dkim: [dkim('crepes.example')] },
    { dkim: [dkim('burgers.example'), dkim('crepes.example', 'fail'), dkim('mail.crepes.example')] },
    { spf: spf('crepes.example') },
    { spf: spf('bounces.crepes.example'), dkim: [dkim('crepes.example', 'fail')] },
  ]) {
    const { result, aligned } = await judge(reject, 'crepes.example', evidence)
    assert.equal(result, 'pass')
    assert.equal(aligned.length, 1)
  }
})

test('what passed for somebody else, and what did not pass, is not enough', async () => {
  for (const evidence of [
    {},
    { dkim: [dkim('burgers.example')], spf: spf('burgers.example') },
    { dkim: [dkim('crepes.example', 'fail'), dkim('crepes.example', 'policy')] },
    { spf: spf('crepes.example', 'softfail') },
    { spf: spf('notcrepes.example') },
  ]) {
    const found = await judge(reject, 'crepes.example', evidence)
    assert.deepEqual([found.result, found.policy, found.policyTag], ['fail', 'reject', 'p'])
  }
})

test('strict alignment is for the same name only', async () => {
  const strict = { '_dmarc.crepes.example': txt('v=DMARC1; p=reject; adkim=s; aspf=s') }
  const under = { dkim: [dkim('mail.crepes.example')], spf: spf('mail.crepes.example') }
  assert.equal((await judge(strict, 'crepes.example', under)).result, 'fail')
  assert.equal((await judge(strict, 'crepes.example', { dkim: [dkim('crepes.example')] })).result, 'pass')
})

test('a subdomain is under sp=, and under np= when it does not exist', async () => {
  const records = {
    '_dmarc.crepes.example': txt('v=DMARC1; p=none; sp=quarantine; np=reject'),
    'shop.crepes.example': { A: ['192.0.2.1'] },
  }
  const there = await judge(records, 'shop.crepes.example')
  assert.deepEqual([there.result, there.policy, there.policyTag], ['fail', 'quarantine', 'sp'])
  assert.equal(there.policyDomain, 'crepes.example')
  const gone = await judge(records, 'nowhere.crepes.example')
  assert.deepEqual([gone.policy, gone.policyTag], ['reject', 'np'])
  assert.equal((await judge(records, 'crepes.example')).policy, 'none')
})

test('RFC 9989: the organization is the highest record, or what is below a public suffix', async () => {
  const sisters = { dkim: [dkim('a.mail.crepes.example')] }
  const records = {
    '_dmarc.mail.crepes.example': txt('v=DMARC1; p=none'),
    '_dmarc.crepes.example': txt('v=DMARC1; p=reject'),
  }
  // mail.crepes.example is no organization of its own: crepes.example is above it.
  const found = await judge(records, 'b.crepes.example', sisters)
  assert.deepEqual([found.result, found.policyDomain], ['pass', 'crepes.example'])

  const suffix = {
    '_dmarc.example': txt('v=DMARC1; p=reject; psd=y'),
    'crepes.example': { A: ['192.0.2.1'] },
  }
  // §4.10.2: below psd=y two names are two organizations.
  assert.equal((await judge(suffix, 'crepes.example', { dkim: [dkim('burgers.example')] })).result, 'fail')
  const under = await judge(suffix, 'crepes.example', { dkim: [dkim('mail.crepes.example')] })
  assert.deepEqual([under.result, under.policyDomain], ['pass', 'example'])

  const separate = { ...records, '_dmarc.mail.crepes.example': txt('v=DMARC1; p=none; psd=n') }
  assert.equal((await judge(separate, 'b.crepes.example', sisters)).result, 'fail')
})

test('a walk asks eight questions at most', async () => {
  assert.deepEqual(walkTargets('a.b.c.d.e.f.g.h.i.j.mail.example.com'), [
    'a.b.c.d.e.f.g.h.i.j.mail.example.com',
    'g.h.i.j.mail.example.com',
    ...['h.i.j.mail.example.com', 'i.j.mail.example.com', 'j.mail.example.com'],
    ...['mail.example.com', 'example.com', 'com'],
  ])
  assert.deepEqual(walkTargets('mail.example.com'), ['mail.example.com', 'example.com', 'com'])
  const { asked } = await judge({}, `${'a.'.repeat(100)}example`)
  assert.equal(asked.length, 8)
})

test('no record, several records, and a record without a policy are no DMARC', async () => {
  for (const record of [
    {},
    { '_dmarc.crepes.example': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } },
    { '_dmarc.crepes.example': txt('v=dmarc1; p=reject') },
    { '_dmarc.crepes.example': txt('v=DMARC1; p=shred') },
    { '_dmarc.crepes.example': txt('p=reject; v=DMARC1') },
    // RFC 9989 §4.10.1: no valid p=, and nobody to tell.
    { '_dmarc.crepes.example': txt('v=DMARC1; sp=reject') },
    { '_dmarc.crepes.example': txt('v=DMARC1;') },
  ]) {
    assert.equal((await judge(record, 'crepes.example')).result, 'none')
  }
  const reported = { '_dmarc.crepes.example': txt('v=DMARC1; p=shred; rua=mailto:dmarc@crepes.example') }
  assert.deepEqual((await judge(reported, 'crepes.example')).policy, 'none')
  const without = { '_dmarc.crepes.example': txt('v=DMARC1; sp=reject; rua=mailto:dmarc@crepes.example') }
  for (const domain of ['crepes.example', 'shop.crepes.example']) {
    const { result, policy, policyTag } = await judge(without, domain)
    assert.deepEqual([result, policy, policyTag], ['fail', 'none', 'p'], domain)
  }
})

test('RFC 9989 §4.10 step 2: a walk ends at psd=, where it begins as well', async () => {
  const records = {
    '_dmarc.co.example': txt('v=DMARC1; p=reject; psd=y'),
    '_dmarc.example': txt('v=DMARC1; p=none; psd=y'),
  }
  // A public suffix that sends mail is its own organization, and has nothing to do with what is below or above it.
  const above = await judge(records, 'co.example', { dkim: [dkim('example')] })
  assert.deepEqual([above.result, above.policyDomain], ['fail', 'co.example'])
  assert.equal((await judge(records, 'co.example', { dkim: [dkim('shop.co.example')] })).result, 'fail')
  assert.equal((await judge(records, 'co.example', { dkim: [dkim('co.example')] })).result, 'pass')
  const under = await judge(records, 'mail.shop.co.example', { dkim: [dkim('shop.co.example')] })
  assert.deepEqual([under.result, under.policyDomain], ['pass', 'co.example'])
  assert.equal(under.asked.includes('_dmarc.example TXT'), false)
})

test('DNS that fails is temporary, and what passed already still counts', async () => {
  const failed = await judge({ '_dmarc.crepes.example': 'servfail' }, 'crepes.example')
  assert.deepEqual([failed.result, failed.policy], ['temperror', null])
  const missing = await judge(reject, 'crepes.example', { dkim: [dkim('crepes.example', 'temperror')] })
  assert.deepEqual(
    [missing.result, missing.policy, missing.missing],
    ['temperror', 'reject', ['dkim=crepes.example']],
  )
  const passed = { dkim: [dkim('crepes.example', 'temperror')], spf: spf('crepes.example') }
  assert.equal((await judge(reject, 'crepes.example', passed)).result, 'pass')
  const foreign = { dkim: [dkim('burgers.example', 'temperror')] }
  assert.equal((await judge(reject, 'crepes.example', foreign)).result, 'fail')
})

test('a name whose record is hidden is under what the names above it say, unless something stands behind it', async () => {
  // A wildcard that leads to a name server which is gone makes any name under it fail.
  const hidden = { '_dmarc.x1.crepes.example': 'servfail' as const, 'x1.crepes.example': 'servfail' as const }
  const forged = await judge({ ...reject, ...hidden }, 'x1.crepes.example')
  assert.deepEqual(
    [forged.result, forged.policy, forged.policyDomain],
    ['temperror', 'quarantine', 'crepes.example'],
  )
  const behind = { dkim: [dkim('crepes.example')] }
  const stood = await judge({ ...reject, ...hidden }, 'x1.crepes.example', behind)
  assert.deepEqual([stood.result, stood.policy], ['temperror', null])
  // Nobody can say that it does not exist.
  const np = { '_dmarc.crepes.example': txt('v=DMARC1; p=reject; sp=quarantine; np=none') }
  const named = await judge({ ...np, 'x1.crepes.example': 'servfail' }, 'x1.crepes.example')
  assert.deepEqual([named.result, named.policy, named.policyTag], ['fail', 'quarantine', 'sp'])
})

test('who has a record and a pass of his own costs one question, and names above may be down', async () => {
  const down = { ...reject, '_dmarc.example': 'servfail' as const }
  const own = await judge(down, 'crepes.example', {
    spf: spf('crepes.example'),
    dkim: [dkim('burgers.example')],
  })
  assert.deepEqual([own.result, own.asked], ['pass', ['_dmarc.crepes.example TXT']])
  // Nothing passed, so no organization can help.
  assert.equal((await judge(down, 'crepes.example', { spf: spf('burgers.test') })).result, 'fail')
  const under = await judge(down, 'crepes.example', { spf: spf('mail.crepes.example') })
  assert.deepEqual(
    [under.result, under.policy, under.missing],
    ['temperror', 'reject', ['spf=mail.crepes.example']],
  )
})

test('a record is read with blanks, capitals and unknown tags', () => {
  const text = 'V = DMARC1 ; P=Reject; x-new=1;;; t=y; =; adkim=S; rua=mailto:a@b.example'
  assert.ok(isDmarcRecord(text))
  const { p, testing, strictDkim, strictSpf, psd, badPolicy } = parseDmarcRecord(text)
  assert.deepEqual(
    { p, testing, strictDkim, strictSpf, psd, badPolicy },
    { p: 'reject', testing: true, strictDkim: true, strictSpf: false, psd: 'u', badPolicy: false },
  )
})
