import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DmarcRecord } from '../../reports/dmarc/report.ts'
import { noStyle } from '../terminal.ts'
import { formatReport } from './format.ts'

const common = {
  ...{ id: 1, organisation: 'Evil\x1b[2J Org', reportId: 'r1', begin: 0, end: 86_399_000, receivedAt: 0 },
  ...{ domain: 'crepes.fr', verified: false, total: 10, passed: 7 },
}

const row = (more: Partial<DmarcRecord>): DmarcRecord => ({
  ...{ sourceAddress: '192.0.2.1', count: 1, disposition: 'none', dkim: 'fail', spf: 'fail', reasons: [] },
  ...{
    headerFrom: 'crepes.fr',
    envelopeFrom: null,
    envelopeTo: null,
    dkimResults: [],
    spfResults: [],
    ...more,
  },
})

test('a DMARC report is shown by source, the most failures first, and says nothing to the terminal', () => {
  const nothing = { adkim: null, aspf: null, fo: null, pct: null, discoveryMethod: null }
  const text = formatReport(
    {
      ...common,
      kind: 'dmarc',
      report: {
        metadata: {
          ...{
            organisation: 'Evil',
            email: '',
            extraContactInfo: null,
            reportId: 'r1',
            begin: 0,
            end: 86_399,
          },
          ...{ errors: ['sp= cannot\x07 be read'], generator: null },
        },
        policy: { domain: 'crepes.fr', p: 'reject', sp: null, np: 'none', testing: 'y', ...nothing },
        records: [
          row({ count: 5, dkim: 'pass', spf: 'pass' }),
          row({ count: 2, spf: 'pass', headerFrom: 'news.crepes.fr' }),
          row({ sourceAddress: '198.51.100.7', count: 3, disposition: 'reject' }),
        ],
        recordsLeftOut: 4,
      },
    },
    noStyle,
  )
  assert.match(text, /^DMARC report about crepes\.fr\nfrom Evil.* Org \(not proven: /)
  assert.match(text, /1970-01-01 00:00 to 1970-01-01 23:59, 10 messages: 7 passed, 3 failed/)
  assert.match(text, /policy: p=reject; np=none; t=y\nthey say: sp= cannot.* be read\n4 rows are not kept/)
  assert.match(
    text,
    /SOURCE +MESSAGES +DKIM +SPF +FAILED +FROM +DONE\n198\.51\.100\.7 +3 +0 +0 +3 +crepes\.fr +reject\n192\.0\.2\.1 +7 +5 +7 +0 +crepes\.fr news\.crepes\.fr +none\n$/,
  )
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/)
})

test('a TLS report is shown by policy and failure', () => {
  const failure = { sendingAddress: null, mxHelo: null, receivingAddress: null, more: null }
  const text = formatReport(
    {
      ...{ ...common, verified: true },
      kind: 'tls',
      report: {
        ...{ organisation: 'Org', contact: '', reportId: 'r1', begin: 0, end: 0, detailsLeftOut: 0 },
        policies: [
          {
            ...{ type: 'sts', domain: 'crepes.fr', strings: [], mxHosts: [], succeeded: 7, failed: 3 },
            failures: [
              { ...failure, type: 'certificate-expired', count: 3, mxHost: 'mx.crepes.fr', reason: 'X509' },
            ],
          },
        ],
      },
    },
    noStyle,
  )
  assert.match(text, /^TLS report about crepes\.fr\nfrom .* Org\n.*10 sessions: 7 passed, 3 failed/)
  assert.match(
    text,
    /crepes\.fr +sts +success +7\ncrepes\.fr +sts +certificate-expired +3 +mx\.crepes\.fr +X509\n$/,
  )
})
