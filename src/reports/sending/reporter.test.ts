import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { FakeClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { defaultReportLimits } from '../../base/report-limits.ts'
import { mapResolver, type RecordMap } from '../../dns/map-resolver.ts'
import { scanMessage } from '../../message/scan.ts'
import { decodeBase64 } from '../../message/transfer-encoding.ts'
import { memoryNotes } from '../../store/notes/open-notes.ts'
import { dayMs, dayOf } from '../days.ts'
import { DmarcGatherer } from '../dmarc/gather.ts'
import type { DmarcObservation } from '../dmarc/observation.ts'
import { readDmarcReport } from '../dmarc/read-report.ts'
import { TlsGatherer } from '../tls/gather.ts'
import { readTlsReport } from '../tls/read-report.ts'
import { Reporter } from './reporter.ts'
import type { ReportLetter, SendingWorld } from './world.ts'

const hour = 60 * 60_000
const someRows = { receivedReportRows: 10_000 }

function makeWorld(records: RecordMap = {}, more: Partial<SendingWorld> = {}) {
  const clock = new FakeClock(Date.UTC(2026, 4, 1, 12))
  const letters: ReportLetter[] = []
  const uploads: { url: string; content: Uint8Array; mediaType: string }[] = []
  const notes = memoryNotes(clock, silentLog)
  const dmarc = new DmarcGatherer(notes, defaultReportLimits)
  const tls = new TlsGatherer(notes, defaultReportLimits)
  const resolver = mapResolver({
    '_dmarc.crepes.fr': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@crepes.fr'] },
    '_smtp._tls.crepes.fr': { TXT: ['v=TLSRPTv1; rua=mailto:tls@crepes.fr,https://reports.crepes.fr/tls'] },
    ...records,
  })
  const world: SendingWorld = {
    ...{ dmarc, tls, excludes: () => false, limits: defaultReportLimits, resolver, clock, log: silentLog },
    post: {
      mail: async (letter) => void letters.push(letter),
      upload: async (url, content, mediaType) => void uploads.push({ url, content, mediaType }),
    },
    identity: async () => ({
      address: 'dmarc-reports@hamburger.edu',
      organisation: 'Hamburger "U"',
      contact: 'https://hamburger.edu/mail',
    }),
    generator: 'Posthorn test',
    random: seededRandom(7),
    ...more,
  }
  const observe = (more: Partial<DmarcObservation> = {}): void =>
    dmarc.observe({
      ...{
        at: clock.now(),
        sourceAddress: '192.0.2.1',
        reversePathDomain: '',
        headerFromDomain: 'crepes.fr',
      },
      policy: {
        ...{ domain: 'crepes.fr', p: 'reject', sp: null, np: null, adkim: 'r', aspf: 'r', pct: null },
        ...{ testing: false, fo: null, discoveryMethod: 'treewalk' },
      },
      ...{ rua: 'mailto:dmarc@crepes.fr', spf: null, dkim: [], aligned: { spf: false, dkim: false } },
      ...{ disposition: 'reject', reasons: [], ...more },
    })
  const reporter = new Reporter(world)
  return { world, clock, letters, uploads, observe, dmarc, tls, resolver, reporter }
}

/** The attachment of a letter, undone. */
function attached({ octets }: ReportLetter): { name: string; type: string; content: Buffer } {
  const message = Buffer.from(octets)
  const part = scanMessage(message).root.parts[1]!
  const content = gunzipSync(decodeBase64(message.subarray(part.bodyOffset, part.bodyOffset + part.octets)))
  const name = part.parameters.find(([key]) => key === 'name')![1]
  return { name, type: `${part.type}/${part.subtype}`, content }
}

/** Lets what waits for nothing but turns come to its end. */
async function settled(reporter: Reporter): Promise<void> {
  await new Promise(setImmediate)
  await reporter.send({ today: false, dryRun: true })
}

test('the report about a day leaves within four hours of its end, once', async () => {
  const { clock, letters, observe, reporter } = makeWorld()
  reporter.start()
  observe()
  observe()
  // The first run of a server comes soon and finds nothing that has ended.
  clock.advance(2 * hour)
  await settled(reporter)
  clock.advance(10 * hour)
  await settled(reporter)
  assert.equal(letters.length, 0)
  clock.advance(4 * hour + 10 * 60_000)
  await settled(reporter)
  assert.equal(letters.length, 1)
  const letter = letters[0]!
  assert.deepEqual([letter.from, letter.to], ['dmarc-reports@hamburger.edu', 'dmarc@crepes.fr'])
  const { name, type, content } = attached(letter)
  const report = readDmarcReport(content.toString(), someRows)
  const [begin, end] = [Date.UTC(2026, 4, 1) / 1000, Date.UTC(2026, 4, 2) / 1000 - 1]
  const { reportId } = report.metadata
  assert.equal(type, 'application/gzip')
  assert.equal(name, `hamburger.edu!crepes.fr!${begin}!${end}!${reportId}.xml.gz`)
  assert.deepEqual([report.metadata.begin, report.metadata.end], [begin, end])
  assert.deepEqual([report.metadata.organisation, report.metadata.email], ['Hamburger "U"', letter.from])
  assert.deepEqual([report.policy.testing, report.policy.discoveryMethod], ['n', 'treewalk'])
  assert.deepEqual(
    report.records.map(({ count, envelopeFrom }) => [count, envelopeFrom]),
    [[2, '']],
  )
  const header = Buffer.from(letter.octets)
    .toString()
    .replace(/\r\n\s/g, ' ')
  assert.match(header, /^From: "Hamburger \\"U\\"" <dmarc-reports@hamburger\.edu>\r$/m)
  assert.match(
    header,
    /^Subject: Report Domain: crepes\.fr Submitter: hamburger\.edu Report-ID: [0-9a-f]{32}\r$/m,
  )
  assert.match(header, /^Auto-Submitted: auto-generated\r$/m)
  clock.advance(3 * dayMs)
  await settled(reporter)
  assert.equal(letters.length, 1)
  await reporter.stop()
})

test('a dry run shows what would leave, with today so far, and changes nothing', async () => {
  const { letters, observe, reporter } = makeWorld()
  observe()
  assert.deepEqual(await reporter.send({ today: false, dryRun: false }), [])
  for (let n = 0; n < 2; n++) {
    const [outcome] = await reporter.send({ today: true, dryRun: true })
    assert.deepEqual([outcome!.state, outcome!.to, outcome!.count], ['ready', ['dmarc@crepes.fr'], 1])
  }
  assert.equal(letters.length, 0)
  const [outcome] = await reporter.send({ today: true, dryRun: false })
  assert.deepEqual([outcome!.state, letters.length], ['sent', 1])
  assert.deepEqual(await reporter.send({ today: true, dryRun: true }), [])
})

test('a destination that has to consent is asked again while DNS does not answer, for half a day', async () => {
  const consent = 'crepes.fr._report._dmarc.reports.example'
  for (const [becomes, sent] of [
    [{ TXT: ['v=DMARC1'] }, 1],
    ['servfail' as const, 0],
  ] as const) {
    const { clock, letters, observe, reporter, resolver, dmarc } = makeWorld({ [consent]: 'servfail' })
    reporter.start()
    observe({ rua: 'mailto:crepes@reports.example' })
    clock.advance(12 * hour + 5 * hour)
    await settled(reporter)
    assert.equal(letters.length, 0)
    assert.equal(dmarc.gathered(dayOf(clock.now())).length, 1)
    resolver.set(consent, becomes as RecordMap[string])
    for (let n = 0; n < 9; n++) {
      clock.advance(hour)
      await settled(reporter)
    }
    assert.equal(letters.length, sent)
    assert.equal(dmarc.gathered(dayOf(clock.now())).length, 0)
    await reporter.stop()
  }
})

test('a destination that takes less octets gets nothing, an excluded domain neither', async () => {
  const { letters, observe, reporter } = makeWorld()
  observe({ rua: 'mailto:small@crepes.fr!100,mailto:large@crepes.fr!1m' })
  const [outcome] = await reporter.send({ today: true, dryRun: false })
  assert.deepEqual(outcome!.to, ['large@crepes.fr'])
  assert.deepEqual(outcome!.refused, [{ uri: 'small@crepes.fr', why: 'it takes at most 100 octets' }])
  assert.equal(letters.length, 1)
  const other = makeWorld({}, { excludes: (domain) => domain === 'crepes.fr' })
  other.observe()
  assert.equal((await other.reporter.send({ today: true, dryRun: false }))[0]!.state, 'excluded')
  assert.deepEqual([other.letters.length, other.dmarc.gathered(Number.MAX_SAFE_INTEGER)], [0, []])
})

test('who publishes many domains cannot have one flooded with reports', async () => {
  const names = Array.from({ length: 20 }, (_, n) => `x${n}.crepes.fr`)
  const records = Object.fromEntries(names.map((name) => [`_dmarc.${name}`, { TXT: ['v=DMARC1; p=none'] }]))
  const { letters, observe, reporter } = makeWorld(records, {
    limits: { ...defaultReportLimits, reportsPerDestination: 3 },
  })
  const policy = { p: 'reject', sp: null, np: null, adkim: 'r', aspf: 'r', pct: null } as const
  for (const domain of names) {
    const more = { testing: false, fo: null, discoveryMethod: 'treewalk' } as const
    observe({ policy: { ...policy, ...more, domain }, rua: 'mailto:a@crepes.fr,mailto:b@crepes.fr' })
  }
  const outcomes = await reporter.send({ today: true, dryRun: false })
  assert.equal(letters.length, 3)
  assert.equal(outcomes.length, 20)
  assert.deepEqual(outcomes.at(-1)!.refused[0], {
    uri: 'a@crepes.fr',
    why: 'crepes.fr has 3 reports already',
  })
})

test('a report that would be too long leaves out what counts least, and says so', async () => {
  const { letters, observe, reporter } = makeWorld(
    {},
    { limits: { ...defaultReportLimits, reportOctets: 8_000 } },
  )
  for (let n = 0; n < 2_000; n++)
    observe({ sourceAddress: `192.0.${n >> 8}.${n & 255}`, headerFromDomain: `${n * 7919}.crepes.fr` })
  for (let n = 0; n < 3; n++) observe({ sourceAddress: '198.51.100.1' })
  await reporter.send({ today: true, dryRun: false })
  assert.ok(letters[0]!.octets.length <= 8_000)
  const report = readDmarcReport(attached(letters[0]!).content.toString(), someRows)
  assert.deepEqual([report.records[0]!.sourceAddress, report.records[0]!.count], ['198.51.100.1', 3])
  const shown = report.records.reduce((sum, { count }) => sum + count, 0)
  assert.deepEqual(report.metadata.errors, [
    `${2_003 - shown} messages are not shown: the report would be too long`,
  ])
})

test('TLS reports go to addresses and are uploaded; RFC 8460 has fields of its own', async () => {
  const { clock, letters, uploads, tls, reporter } = makeWorld()
  tls.observe({
    ...{ at: clock.now(), domain: 'crepes.fr', mxHost: 'mx.crepes.fr', sendingAddress: null, reason: null },
    ...{ policy: { type: 'no-policy-found', strings: [], mxHosts: [] }, receivingAddress: '192.0.2.5' },
    failure: 'starttls-not-supported',
  })
  const [outcome] = await reporter.send({ today: true, dryRun: false })
  assert.deepEqual(outcome!.to, ['tls@crepes.fr', 'https://reports.crepes.fr/tls'])
  const { name, type, content } = attached(letters[0]!)
  assert.equal(letters[0]!.tlsOptional, true)
  assert.equal(type, 'application/tlsrpt+gzip')
  assert.match(name, /^hamburger\.edu!crepes\.fr!\d+!\d+![0-9a-f]{32}\.json\.gz$/)
  assert.deepEqual(
    uploads.map(({ url, mediaType }) => [url, mediaType]),
    [['https://reports.crepes.fr/tls', 'application/tlsrpt+gzip']],
  )
  assert.deepEqual(gunzipSync(uploads[0]!.content), content)
  const report = readTlsReport(content, 10)
  // §5.3: of the submitter's domain, whatever else people may be told to ask at.
  assert.equal(report.contact, 'dmarc-reports@hamburger.edu')
  assert.equal(report.policies[0]!.failures[0]!.type, 'starttls-not-supported')
  const header = Buffer.from(letters[0]!.octets)
    .toString()
    .replace(/\r\n\s/g, ' ')
  assert.match(header, /^TLS-Report-Domain: crepes\.fr\r$/m)
  assert.match(header, /^TLS-Report-Submitter: hamburger\.edu\r$/m)
  assert.match(header, /^Content-Type: multipart\/report; report-type="tlsrpt"; boundary=/m)
  assert.match(header, /^Subject: .* Report-ID: <[0-9a-f]{32}@hamburger\.edu>\r$/m)
  assert.deepEqual(tls.gathered(Number.MAX_SAFE_INTEGER), [])
})

test('an upload that fails is tried again', async () => {
  let fails = true
  const { clock, tls, reporter } = makeWorld(
    { '_smtp._tls.crepes.fr': { TXT: ['v=TLSRPTv1; rua=https://reports.crepes.fr/tls'] } },
    {
      post: {
        mail: () => Promise.reject(new Error('no mail here')),
        upload: async () => {
          if (fails) throw new Error('503')
        },
      },
    },
  )
  tls.observe({
    ...{ at: clock.now(), domain: 'crepes.fr', mxHost: 'mx.crepes.fr', sendingAddress: null, reason: null },
    ...{
      policy: { type: 'no-policy-found', strings: [], mxHosts: [] },
      receivingAddress: null,
      failure: null,
    },
  })
  const states = async () => (await reporter.send({ today: true, dryRun: false })).map(({ state }) => state)
  assert.deepEqual(await states(), ['later'])
  fails = false
  assert.deepEqual(await states(), ['sent'])
  assert.deepEqual(await states(), [])
})
