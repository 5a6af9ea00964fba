import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadReport } from '../bad-report.ts'
import { BadXml } from '../xml/reader.ts'
import { readDmarcReport } from './read-report.ts'
import { countMessages, type DmarcReport } from './report.ts'
import { writeDmarcReport } from './write-report.ts'

const limits = { receivedReportRows: 10 }
const read = (document: string, max = limits): DmarcReport => readDmarcReport(document, max)
const write = (report: DmarcReport): string => [...writeDmarcReport(report)].join('')

/** The sample of RFC 9990 appendix B. */
const sample = `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>Sample Reporter</org_name>
    <email>report_sender@example-reporter.com</email>
    <extra_contact_info>...</extra_contact_info>
    <report_id>3v98abbp8ya9n3va8yr8oa3ya</report_id>
    <date_range>
      <begin>1732665600</begin>
      <end>1732751999</end>
    </date_range>
    <generator>Example DMARC Aggregate Reporter v1.2</generator>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain>
    <p>quarantine</p>
    <sp>none</sp>
    <np>none</np>
    <testing>n</testing>
    <discovery_method>treewalk</discovery_method>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.123</source_ip>
      <count>123</count>
      <policy_evaluated>
        <disposition>pass</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from>example.com</envelope_from>
      <header_from>example.com</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>example.com</domain>
        <result>pass</result>
        <selector>abc123</selector>
      </dkim>
      <spf>
        <domain>example.com</domain>
        <result>fail</result>
      </spf>
    </auth_results>
  </record>
</feedback>
`

test('RFC 9990 appendix B: the sample is read, and read again as we write it', () => {
  const report = read(sample)
  assert.equal(report.metadata.organisation, 'Sample Reporter')
  assert.deepEqual([report.metadata.begin, report.metadata.end], [1732665600, 1732751999])
  assert.deepEqual(
    [report.policy.p, report.policy.sp, report.policy.discoveryMethod],
    ['quarantine', 'none', 'treewalk'],
  )
  assert.deepEqual(countMessages(report.records), { messages: 123, passed: 123 })
  assert.deepEqual(report.records[0]!.dkimResults, [
    { domain: 'example.com', selector: 'abc123', result: 'pass', humanResult: null },
  ])
  assert.deepEqual(read(write(report)), report)
})

test('a report of RFC 7489 has no namespace, and results of its own', () => {
  const report = read(`<?xml version="1.0" encoding="UTF-8" ?><feedback>
    <report_metadata><org_name>google.com</org_name><email>x@google.com</email><report_id>1</report_id>
      <date_range><begin>0</begin><end>86399</end></date_range></report_metadata>
    <policy_published><domain>Crepes.FR</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>reject</sp><pct>50</pct></policy_published>
    <record>
      <row><source_ip>2001:db8::7</source_ip><count>2</count><policy_evaluated>
        <disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>
        <reason><type>sampled_out</type><comment/></reason></policy_evaluated></row>
      <identifiers><header_from>crepes.fr</header_from><envelope_from></envelope_from></identifiers>
      <auth_results><spf><domain>a.example</domain><scope>helo</scope><result>none</result></spf>
        <spf><domain>b.example</domain><result>softfail</result></spf></auth_results>
    </record></feedback>`)
  assert.deepEqual([report.policy.domain, report.policy.pct, report.policy.np], ['crepes.fr', '50', null])
  const [record] = report.records
  assert.equal(record!.envelopeFrom, '')
  assert.deepEqual(record!.reasons, [{ type: 'sampled_out', comment: null }])
  assert.deepEqual(
    record!.spfResults.map(({ domain, scope, result }) => [domain, scope, result]),
    [
      ['a.example', 'helo', 'none'],
      ['b.example', null, 'softfail'],
    ],
  )
  assert.deepEqual(countMessages(report.records), { messages: 2, passed: 0 })
})

test('RFC 9990: extensions are passed over, whatever their elements are called', () => {
  const extended = sample
    .replace(
      '<version>',
      '<e:record xmlns:e="urn:other"><row><source_ip>x</source_ip></row></e:record><version>',
    )
    .replace('</auth_results>', '</auth_results><row xmlns="urn:other"><count>9</count></row>')
  assert.deepEqual(read(extended), read(sample))
})

test('rows beyond the bound, and rows that count nothing, are counted as left out', () => {
  const record = /<record>.*<\/record>/s.exec(sample)![0]
  const many = sample.replace(record, record.repeat(14))
  assert.deepEqual([read(many).records.length, read(many).recordsLeftOut], [10, 4])
  const bad = sample.replace(
    record,
    record + record.replace('192.0.2.123', 'localhost') + record.replace('>123<', '>-1<'),
  )
  assert.deepEqual([read(bad).records.length, read(bad).recordsLeftOut], [1, 2])
})

test('100,000 rows are read within the bound', () => {
  const record = '<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>'
  const [head, tail] = sample.split(/<record>.*<\/record>/s) as [string, string]
  const report = read(head + record.repeat(100_000) + tail, { receivedReportRows: 1_000 })
  assert.deepEqual([report.records.length, report.recordsLeftOut], [1_000, 99_000])
})

test('what is no report is said to be none', () => {
  for (const [document, why] of [
    ['<html/>', /root is html/],
    ['<feedback/>', /no report_metadata/],
    [sample.replace('1732665600', 'yesterday'), /date_range/],
    [sample.replace(/<report_id>.*<\/report_id>/, ''), /no report_id/],
    [sample.replace(/<policy_published>.*<\/policy_published>/s, ''), /no policy_published/],
    [sample.replace('<row>', `<row>${'<x/>'.repeat(3_000)}`), /more than 2000 elements/],
  ] as const) {
    assert.throws(
      () => read(document),
      (error) => error instanceof BadReport && why.test(error.message),
    )
  }
  assert.throws(() => read(sample.slice(0, -20)), BadXml)
})

const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((text) => `x${text.replace(/[\x00-\x1f\x7f-\xa0\u2000-\u2fff\u3000\ufeff\ufffe\uffff]/g, '')}x`)
const optional = fc.option(word)
const address = fc.oneof(fc.ipV4(), fc.ipV6())
const lower = word.map((text) => text.toLowerCase())
const verdict = fc.constantFrom('pass', 'fail')
const anyReport: fc.Arbitrary<DmarcReport> = fc.record({
  metadata: fc.record({
    ...{ organisation: word, email: word, extraContactInfo: optional, reportId: word, generator: optional },
    ...{ begin: fc.nat(), end: fc.nat(), errors: fc.array(word, { maxLength: 3 }) },
  }),
  policy: fc.record({
    ...{ domain: lower, discoveryMethod: optional, p: word, sp: optional, np: optional, adkim: optional },
    ...{ aspf: optional, fo: optional, testing: optional, pct: fc.constant(null) },
  }),
  records: fc.array(
    fc.record({
      ...{ sourceAddress: address, count: fc.nat(), disposition: word, dkim: verdict, spf: verdict },
      reasons: fc.array(fc.record({ type: word, comment: optional }), { maxLength: 2 }),
      ...{
        headerFrom: lower,
        envelopeFrom: fc.option(fc.oneof(word, fc.constant(''))),
        envelopeTo: optional,
      },
      dkimResults: fc.array(
        fc.record({ domain: lower, selector: optional, result: word, humanResult: optional }),
        { maxLength: 3 },
      ),
      spfResults: fc.array(
        fc.record({ domain: lower, scope: optional, result: word, humanResult: optional }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 4 },
  ),
  recordsLeftOut: fc.constant(0),
})

test('what is written is read again as it was', () => {
  fc.assert(
    fc.property(anyReport, (report) =>
      // fast-check's objects have no prototype.
      assert.deepEqual(read(write(report)), JSON.parse(JSON.stringify(report))),
    ),
    { numRuns: 200 },
  )
})

test('a report cut or changed anywhere brings out a report or a refusal', () => {
  fc.assert(
    fc.property(fc.nat(sample.length), fc.nat(40), fc.string({ maxLength: 10 }), (at, gone, put) => {
      try {
        read(sample.slice(0, at) + put + sample.slice(at + gone))
      } catch (error) {
        assert.ok(error instanceof BadReport || error instanceof BadXml, String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})
