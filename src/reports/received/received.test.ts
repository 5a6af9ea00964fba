import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { temporaryFolder } from '../../../test/harness/temp.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { defaultReportLimits, type ReportLimits } from '../../base/report-limits.ts'
import { encodeBase64 } from '../../message/transfer-encoding.ts'
import { BadReport } from '../bad-report.ts'
import type { DmarcReport } from '../dmarc/report.ts'
import { writeDmarcReport } from '../dmarc/write-report.ts'
import { writeTlsReport } from '../tls/write-report.ts'
import { BadXml } from '../xml/reader.ts'
import { findReport } from './find-report.ts'
import { openReceivedReports } from './open.ts'
import { zip } from './zip-fixture.ts'

const report = (reportId: string, domain = 'crepes.fr'): DmarcReport => ({
  metadata: {
    ...{ organisation: 'Hamburger University', email: 'postmaster@hamburger.edu', extraContactInfo: null },
    ...{ reportId, begin: 1_000, end: 87_399, errors: [], generator: null },
  },
  policy: {
    ...{ domain, discoveryMethod: null, p: 'none', sp: null, np: null, adkim: null, aspf: null },
    ...{ fo: null, testing: null, pct: null },
  },
  records: ['pass', 'fail'].map((spf, index) => ({
    ...{
      sourceAddress: `192.0.2.${index}`,
      count: 2 + index,
      disposition: 'none',
      dkim: 'fail',
      spf,
      reasons: [],
    },
    ...{ headerFrom: domain, envelopeFrom: null, envelopeTo: null, dkimResults: [], spfResults: [] },
  })),
  recordsLeftOut: 0,
})
const xml = (one: DmarcReport): string => [...writeDmarcReport(one)].join('')
const tlsJson = writeTlsReport({
  ...{
    organisation: 'Hamburger University',
    contact: '',
    reportId: 't1',
    begin: 0,
    end: 1_000,
    detailsLeftOut: 0,
  },
  policies: [
    {
      ...{ type: 'sts', domain: 'crepes.fr', strings: [], mxHosts: [], succeeded: 5, failed: 1 },
      failures: [],
    },
  ],
})

/** A letter with an attachment. */
function letter(type: string, content: Uint8Array | string): Buffer {
  return Buffer.from(
    `From: a@hamburger.edu\r\nSubject: Report Domain: crepes.fr\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\n\r\n{ for people }\r\n--b\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
      `${encodeBase64(Buffer.from(content as string))}\r\n--b--\r\n`,
  )
}

test('a report is found whatever it is called and packed in', () => {
  for (const message of [
    letter('application/gzip', gzipSync(xml(report('1')))),
    letter('application/x-zip-compressed', zip({ 'r.xml': xml(report('1')) })),
    letter('application/octet-stream', gzipSync(xml(report('1')))),
    letter('text/xml', xml(report('1'))),
    Buffer.from(`Content-Type: application/xml\r\n\r\n${xml(report('1'))}`),
    letter('text/xml', Buffer.from(`\ufeff${xml(report('1')).replace('UTF-8', 'UTF-16')}`, 'utf16le')),
  ]) {
    const found = findReport(message, defaultReportLimits)
    assert.deepEqual(found, { kind: 'dmarc', report: report('1') })
  }
  for (const message of [
    letter('application/tlsrpt+gzip', gzipSync(tlsJson)),
    letter('application/tlsrpt+json', tlsJson),
  ])
    assert.equal(findReport(message, defaultReportLimits)?.kind, 'tls')
  assert.equal(findReport(Buffer.from('Subject: x\r\n\r\nHello'), defaultReportLimits), null)
  assert.equal(findReport(letter('application/pdf', '%PDF-1.4'), defaultReportLimits), null)
})

test('hostile reports are refused, each with its reason', () => {
  const small = { ...defaultReportLimits, receivedReportTextOctets: 100_000 }
  for (const [content, why] of [
    [gzipSync(Buffer.alloc(50_000_000)), /longer than/],
    [zip({ 'r.xml': '<a>'.repeat(30_000) }), /root is a/],
    [zip({ 'r.xml': `<feedback>${'<a>'.repeat(30)}` }), /nested deeper/],
    ['<!DOCTYPE x [<!ENTITY a "b">]><feedback/>', /document type/],
    [Buffer.from('<?xml version="1.0" encoding="koi8-r"?><feedback/>'), /koi8-r/],
    [Buffer.from('<feedback>\xff</feedback>', 'latin1'), /not utf-8/],
    [`{"policies":${'['.repeat(1_000)}`, /nested deeper/],
  ] as const) {
    assert.throws(
      () => findReport(letter('application/octet-stream', content), small),
      (error) => (error instanceof BadReport || error instanceof BadXml) && why.test(error.message),
      String(why),
    )
  }
})

test('a letter changed anywhere brings out a report, nothing, or a refusal', () => {
  const good = [
    letter('application/zip', zip({ 'r.xml': xml(report('1')) })),
    letter('text/xml', xml(report('1'))),
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.nat(1_500),
      fc.uint8Array({ maxLength: 8 }),
      fc.nat(8),
      (from, at, put, gone) => {
        try {
          findReport(
            Buffer.concat([from.subarray(0, at), put, from.subarray(at + gone)]),
            defaultReportLimits,
          )
        } catch (error) {
          assert.ok(error instanceof BadReport || error instanceof BadXml, String(error))
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

function open(t: TestContext, more: Partial<ReportLimits> = {}, folder = temporaryFolder(t)) {
  const reports = openReceivedReports(folder, { ...defaultReportLimits, ...more }, silentLog)
  t.after(() => reports.close())
  const take = (one: DmarcReport, verified = false, receivedAt = 1_000_000) =>
    reports.take(letter('text/xml', xml(one)), { receivedAt, verified })
  const ids = async (domain: string | null = null) =>
    (await reports.list({ domain, limit: 100 })).map(({ reportId }) => reportId)
  return { reports, take, ids, folder }
}

test('received reports are kept, listed and shown, and are there after a restart', async (t) => {
  const { reports, take, ids, folder } = open(t)
  await take(report('one'))
  await reports.take(letter('application/tlsrpt+json', tlsJson), { receivedAt: 7, verified: true })
  await take(report('two', 'creperie.fr'))
  await reports.take(Buffer.from('Subject: x\r\n\r\nno report'), { receivedAt: 8, verified: true })
  await reports.take(letter('text/xml', '<feedback>'), { receivedAt: 8, verified: true })
  assert.deepEqual(await ids(), ['two', 't1', 'one'])
  assert.deepEqual(await ids('creperie.fr'), ['two'])
  const [, tls, dmarc] = await reports.list({ domain: null, limit: 100 })
  assert.deepEqual([tls!.kind, tls!.total, tls!.passed, tls!.verified], ['tls', 6, 5, true])
  const { id, ...summary } = dmarc!
  assert.deepEqual(summary, {
    ...{ kind: 'dmarc', domain: 'crepes.fr', organisation: 'Hamburger University', reportId: 'one' },
    ...{ begin: 1_000_000, end: 87_399_000, receivedAt: 1_000_000, verified: false, total: 5, passed: 2 },
  })
  assert.deepEqual(JSON.parse((await reports.find(id))!), { id, ...summary, report: report('one') })
  assert.equal(await reports.find(99), null)
  await reports.close()
  assert.deepEqual(await open(t, {}, folder).ids(), ['two', 't1', 'one'])
})

test('RFC 8460 §3: a report about TLS that its sender has not signed is not read', async (t) => {
  const { reports, ids } = open(t)
  const tls = letter('application/tlsrpt+json', tlsJson)
  await reports.take(Buffer.from(tls), { receivedAt: 7, verified: true, unsigned: true })
  await reports.take(letter('text/xml', xml(report('one'))), {
    receivedAt: 7,
    verified: true,
    unsigned: true,
  })
  assert.deepEqual(await ids(), ['one'])
  await reports.take(Buffer.from(tls), { receivedAt: 7, verified: true, unsigned: false })
  assert.deepEqual(await ids(), ['t1', 'one'])
})

test('a report that comes twice is kept once; a proven one replaces one that anybody could have sent', async (t) => {
  const { reports, take } = open(t)
  await take(report('one'))
  await take({ ...report('one'), records: [] })
  const [first] = await reports.list({ domain: null, limit: 10 })
  assert.deepEqual([first!.total, first!.verified], [5, false])
  await take({ ...report('one'), records: report('one').records.slice(1) }, true)
  await take(report('one'))
  const all = await reports.list({ domain: null, limit: 10 })
  assert.deepEqual(
    all.map(({ total, verified }) => [total, verified]),
    [[3, true]],
  )
})

test('reports are kept for a time, and only so many', async (t) => {
  const { take, ids } = open(t, { receivedReports: 3, receivedReportsMs: 1_000 })
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) await take(report(name), false, 1_000 + index)
  assert.deepEqual(await ids(), ['d', 'c', 'b'])
  await take(report('e'), false, 2_003)
  assert.deepEqual(await ids(), ['e', 'd'])
})

test('a flood of reports that anybody could have sent drives out those that are proven only to the half', async (t) => {
  const { take, ids } = open(t, { receivedReports: 6 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await take(report(name), true)
  for (let n = 0; n < 20; n++) await take(report(`false ${n}`))
  assert.deepEqual(await ids(), ['false 19', 'false 18', 'false 17', 'e', 'd', 'c'])
  for (const name of ['f', 'g']) await take(report(name), true)
  assert.deepEqual(await ids(), ['g', 'f', 'false 19', 'false 18', 'false 17', 'e'])
})

test('the file has a bound; the newest report stays', async (t) => {
  const { take, ids } = open(t, { receivedReportsOctets: 60_000 })
  const noise = (seed: number): DmarcReport => {
    const random = seededRandom(seed)
    const record = report('x').records[0]!
    const rows = Array.from({ length: 300 }, () => ({
      ...record,
      headerFrom: Buffer.from(random.bytes(30)).toString('hex'),
    }))
    return { ...report(`r${seed}`), records: rows }
  }
  for (let seed = 1; seed <= 20; seed++) await take(noise(seed))
  const kept = await ids()
  assert.ok(kept.length >= 1 && kept.length < 15, String(kept.length))
  assert.equal(kept[0], 'r20')
  await take(noise(21), true)
  for (let seed = 22; seed <= 40; seed++) await take(noise(seed))
  assert.ok((await ids()).includes('r21'), 'the proven one')
})

test('a damaged file is set aside', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'reports.db'), 'this is no database at all, '.repeat(100))
  const { take, ids } = open(t, {}, folder)
  await take(report('one'))
  assert.deepEqual(await ids(), ['one'])
})
