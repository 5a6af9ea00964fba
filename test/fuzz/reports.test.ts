/** `REPORTS_FUZZ_SEED=n REPORTS_FUZZ_RUNS=n` replay a run or make it longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { defaultReportLimits } from '../../src/base/report-limits.ts'
import { mapResolver } from '../../src/dns/map-resolver.ts'
import { BadReport } from '../../src/reports/bad-report.ts'
import { findDmarcDestinations } from '../../src/reports/dmarc/destinations.ts'
import { readReportedRecord } from '../../src/reports/dmarc/record.ts'
import { findReport, readReport } from '../../src/reports/received/find-report.ts'
import { zip } from '../../src/reports/received/zip-fixture.ts'
import { readReportUris } from '../../src/reports/report-uri.ts'
import { decodeXml } from '../../src/reports/xml/decode.ts'
import { BadXml, readXml } from '../../src/reports/xml/reader.ts'

const seed = Number(process.env['REPORTS_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const numRuns = Number(process.env['REPORTS_FUZZ_RUNS'] ?? 500)
console.log(`reports fuzz seed ${seed}`)

const limits = { ...defaultReportLimits, receivedReportTextOctets: 20_000, receivedReportRows: 20 }

function check(property: fc.IRawProperty<unknown>): Promise<void> | void {
  return fc.assert(property as fc.IAsyncProperty<unknown>, { seed, numRuns })
}

/** Any value or a refusal; nothing else may come out. */
function survives(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof BadReport || error instanceof BadXml, String(error))
  }
}

const names = [
  'feedback',
  'report_metadata',
  'record',
  'row',
  'org_name',
  'report_id',
  'date_range',
  'begin',
  'end',
]
const more = [
  'policy_published',
  'domain',
  'p',
  'source_ip',
  'count',
  'auth_results',
  'dkim',
  'e:row',
  'identifiers',
]
const tags = [...names, ...more].flatMap((name) => [`<${name}>`, `</${name}>`, `<${name} xmlns="u:x">`])
const markup = [
  '<?xml version="1.0"?>',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '&amp;',
  '&#60;',
  '&x;',
  '<!DOCTYPE a [',
  ']>',
]
const texts = [
  '192.0.2.1',
  '2001:db8::1',
  '17',
  '-1',
  '9'.repeat(30),
  'pass',
  'x',
  '\u0000',
  '\ud800',
  '\r',
  'ü',
  '',
]
const documents = fc
  .array(fc.constantFrom(...tags, ...markup, ...texts, ' xmlns:e="u:e"', '="', '"', '>', '<'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))

test('reports: XML of any shape is told within its bounds, or refused', () =>
  check(
    fc.property(documents, (document) => {
      let depth = 0
      const handler = {
        open: () => assert.ok(++depth <= 5),
        text: (text: string) => assert.ok(depth > 0 && text !== ''),
        close: () => assert.ok(depth-- > 0),
      }
      const bounds = { depth: 5, elements: 20, attributes: 5, nameChars: 20, valueChars: 50 }
      survives(() => {
        readXml(document, handler, bounds)
        assert.equal(depth, 0)
      })
    }),
  ))

test('reports: octets of any kind bring out a report, nothing, or a refusal', () =>
  check(
    fc.property(documents, fc.uint8Array({ maxLength: 300 }), fc.nat(6), (document, octets, how) => {
      const text = Buffer.from(document)
      const packed = [
        ...[text, octets, gzipSync(text), zip({ 'a.xml': text }), zip({ 'a.json': octets }, 0)],
        ...[deflateRawSync(text), Buffer.concat([Buffer.from('PK\x03\x04'), octets])],
      ]
      survives(() => readReport(packed[how]!, limits))
      survives(() => decodeXml(octets))
      survives(() =>
        findReport(
          Buffer.concat([Buffer.from('Content-Type: application/zip\r\n\r\n'), packed[how]!]),
          limits,
        ),
      )
    }),
  ))

const json = fc.json({ maxDepth: 8 })
const keys = [
  'policies',
  'date-range',
  'report-id',
  'policy',
  'summary',
  'failure-details',
  'policy-domain',
  'start-datetime',
]
const objects = fc
  .array(fc.tuple(fc.constantFrom(...keys), json), { maxLength: 8 })
  .map((entries) => `{${entries.map(([key, value]) => `"${key}":${value}`).join(',')}}`)

test('reports: JSON of any shape brings out a report or a refusal', () =>
  check(
    fc.property(objects, objects, fc.nat(200), (outer, inner, cut) => {
      const whole = `{"report-id":"1","date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":"2026-01-02T00:00:00Z"},"policies":[{"policy":{"policy-domain":"a.example"},"summary":${inner},"failure-details":[${inner}]},${outer}]}`
      survives(() => readReport(Buffer.from(outer), limits))
      survives(() => readReport(Buffer.from(whole), limits))
      survives(() => readReport(Buffer.from(whole.slice(0, cut)), limits))
    }),
  ))

const records = fc
  .array(
    fc.constantFrom(
      'v=DMARC1',
      ';',
      ' ',
      'rua=',
      'mailto:',
      'a@crepes.fr',
      'b@x.example',
      '!10m',
      '!',
      ',',
      'p=',
      'none',
      'pct=',
      '50',
      'https://x.example/',
      '%0d',
      '\u0000',
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''))

test('reports: what stands in records leads to addresses only, and to those that agree', () =>
  check(
    fc.asyncProperty(records, records, async (record, consent) => {
      const { policy } = readReportedRecord('crepes.fr', record)
      assert.ok(['none', 'quarantine', 'reject'].includes(policy.p))
      assert.ok(policy.pct === null || (policy.pct >= 0 && policy.pct <= 100))
      for (const uri of readReportUris(record))
        assert.match(uri.kind === 'mailto' ? uri.address : uri.url, /^[\x21-\x7e]+$/)
      const name = 'crepes.fr._report._dmarc.x.example'
      const resolver = mapResolver(consent === '' ? {} : { [name]: { TXT: [consent] } })
      const { to } = await findDmarcDestinations(resolver, 'crepes.fr', record, 3)
      assert.ok(to.length <= 3)
      for (const { domain } of to)
        assert.ok(domain === 'crepes.fr' || (domain === 'x.example' && /^v *= *DMARC1/.test(consent)))
    }),
  ))
