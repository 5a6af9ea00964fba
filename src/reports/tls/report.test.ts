import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { mapResolver } from '../../dns/map-resolver.ts'
import { memoryNotes } from '../../store/notes/open-notes.ts'
import { BadReport } from '../bad-report.ts'
import { dayMs, dayOf } from '../days.ts'
import { findTlsDestinations } from './destinations.ts'
import { TlsGatherer } from './gather.ts'
import type { TlsObservation } from './observation.ts'
import { readTlsReport } from './read-report.ts'
import { writeTlsReport } from './write-report.ts'

const read = (text: string, most = 100) => readTlsReport(Buffer.from(text), most)

/** The sample of RFC 8460 appendix B. */
const sample = JSON.stringify({
  'organization-name': 'Company-X',
  'date-range': { 'start-datetime': '2016-04-01T00:00:00Z', 'end-datetime': '2016-04-01T23:59:59Z' },
  'contact-info': 'sts-reporting@company-x.example',
  'report-id': '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
  policies: [
    {
      policy: {
        'policy-type': 'sts',
        'policy-string': [
          'version: STSv1',
          'mode: testing',
          'mx: *.mail.company-y.example',
          'max_age: 86400',
        ],
        'policy-domain': 'company-y.example',
        'mx-host': '*.mail.company-y.example',
      },
      summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 303 },
      'failure-details': [
        {
          'result-type': 'certificate-expired',
          'sending-mta-ip': '2001:db8:abcd:0012::1',
          'receiving-mx-hostname': 'mx1.mail.company-y.example',
          'failed-session-count': 100,
        },
        {
          'result-type': 'starttls-not-supported',
          'sending-mta-ip': '2001:db8:abcd:0013::1',
          'receiving-mx-hostname': 'mx2.mail.company-y.example',
          'receiving-ip': '203.0.113.56',
          'failed-session-count': 200,
          'additional-information':
            'https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported',
        },
        {
          'result-type': 'validation-failure',
          'sending-mta-ip': '198.51.100.62',
          'receiving-ip': '203.0.113.58',
          'receiving-mx-hostname': 'mx-backup.mail.company-y.example',
          'failed-session-count': 3,
          'failure-reason-code': 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED',
        },
      ],
    },
  ],
})

test('RFC 8460 appendix B: the sample is read, and read again as we write it', () => {
  const report = read(sample)
  assert.deepEqual([report.organisation, report.begin], ['Company-X', Date.UTC(2016, 3, 1)])
  const [policy] = report.policies
  assert.deepEqual([policy!.type, policy!.succeeded, policy!.failed], ['sts', 5326, 303])
  assert.deepEqual(policy!.mxHosts, ['*.mail.company-y.example'])
  assert.deepEqual(
    policy!.failures.map(({ type, count, receivingAddress }) => [type, count, receivingAddress]),
    [
      ['certificate-expired', 100, null],
      ['starttls-not-supported', 200, '203.0.113.56'],
      ['validation-failure', 3, '203.0.113.58'],
    ],
  )
  assert.deepEqual(read(writeTlsReport(report)), report)
})

test('what is no TLS report is said to be none', () => {
  for (const [text, why] of [
    ['', /no JSON/],
    ['[]', /no object/],
    ['null', /no object/],
    ['{}', /date-range/],
    [sample.replace('2016-04-01T00', 'x'), /date-range/],
    [sample.replace('report-id', 'x'), /report-id/],
    [sample.replace('"policies"', '"x"'), /no policies/],
    [sample.replace('policy-domain', 'x'), /no policy-domain/],
    ['['.repeat(50_000_0), /nested deeper/],
    [`{"a":${'{"a":'.repeat(21)}0${'}'.repeat(22)}`, /nested deeper/],
  ] as const) {
    assert.throws(
      () => read(text),
      (error) => error instanceof BadReport && why.test(error.message),
      text.slice(0, 40),
    )
  }
  assert.throws(() => readTlsReport(Buffer.from(sample, 'utf16le'), 1), BadReport)
  assert.throws(() => readTlsReport(Buffer.from([0xff]), 1), /not UTF-8/)
})

test('details beyond the bound are counted as left out', () => {
  const report = read(sample, 2)
  assert.deepEqual([report.policies[0]!.failures.length, report.detailsLeftOut], [2, 1])
})

test('any JSON brings out a report or a refusal', () => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.constantFrom('policies', 'date-range', 'summary', 'failure-details', 'policy'),
      (json, at) => {
        const text = sample.replace(new RegExp(`"${at}":`), `"${at}":${json},"x":`)
        try {
          read(text)
        } catch (error) {
          assert.ok(error instanceof BadReport, String(error))
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

const clock = new FakeClock()
const today = dayOf(clock.now())
const seen = (more: Partial<TlsObservation> = {}): TlsObservation => ({
  at: today,
  domain: 'crepes.fr',
  policy: { type: 'no-policy-found', strings: [], mxHosts: [] },
  mxHost: 'mx.crepes.fr',
  sendingAddress: '192.0.2.1',
  receivingAddress: '192.0.2.2',
  failure: null,
  reason: null,
  ...more,
})

test('sessions are counted by domain, policy and failure, and are there again after a restart', () => {
  const notes = memoryNotes(clock, silentLog)
  const before = new TlsGatherer(notes, { reportRows: 3 })
  before.observe(seen())
  before.observe(seen())
  before.observe(seen({ failure: 'starttls-not-supported' }))
  before.observe(seen({ failure: 'starttls-not-supported' }))
  before.observe(seen({ failure: 'validation-failure', reason: 'x' }))
  before.observe(seen({ policy: { type: 'sts', strings: ['version: STSv1'], mxHosts: ['mx.crepes.fr'] } }))
  before.observe(seen({ domain: 'hamburger.edu', at: today + dayMs }))
  before.observe(seen({ domain: 'one.too.many' }))
  const after = new TlsGatherer(notes, { reportRows: 3 })
  assert.deepEqual(after.gathered(today + 2 * dayMs), before.gathered(today + 2 * dayMs))
  const [report, ...others] = after.gathered(today + dayMs)
  assert.deepEqual(others, [])
  assert.deepEqual(
    report!.policies.map(({ type, succeeded, failed, failures }) => [
      type,
      succeeded,
      failed,
      failures.length,
    ]),
    [
      ['no-policy-found', 2, 3, 2],
      ['sts', 1, 0, 0],
    ],
  )
  after.forget(today, 'crepes.fr')
  assert.deepEqual(
    new TlsGatherer(notes, { reportRows: 3 }).gathered(today + 2 * dayMs).map(({ domain }) => domain),
    ['hamburger.edu'],
  )
})

test('failures of one policy have a bound, their sum has none', () => {
  const gatherer = new TlsGatherer(memoryNotes(clock, silentLog), { reportRows: 3 })
  for (let n = 0; n < 150; n++) gatherer.observe(seen({ failure: 'validation-failure', reason: `r${n}` }))
  const [policy] = gatherer.gathered(today + dayMs)[0]!.policies
  assert.deepEqual([policy!.failed, policy!.failures.length], [150, 100])
})

test('RFC 8460: who wants TLS reports says so in DNS, once', async () => {
  for (const [records, ...to] of [
    [['v=TLSRPTv1;rua=mailto:reports@crepes.fr'], 'mailto'],
    [['v=TLSRPTv1; rua=https://reports.crepes.fr/v1,mailto:tls@x.example', 'v=spf1 -all'], 'https', 'mailto'],
    [['v=TLSRPTv1; rua=mailto:a@crepes.fr', 'v=TLSRPTv1; rua=mailto:b@crepes.fr']],
    [['rua=mailto:a@crepes.fr; v=TLSRPTv1']],
    [['v=TLSRPTv1']],
    [[]],
  ] as const) {
    const resolver = mapResolver({ '_smtp._tls.crepes.fr': { TXT: [...records] } })
    const found = await findTlsDestinations(resolver, 'crepes.fr', 5)
    assert.deepEqual(
      found.to.map((uri) => uri.kind),
      to,
      records.join(' '),
    )
  }
  const failing = await findTlsDestinations(
    mapResolver({ '_smtp._tls.crepes.fr': 'timeout' }),
    'crepes.fr',
    5,
  )
  assert.deepEqual(failing, { to: [], refused: [], uncertain: true })
})
