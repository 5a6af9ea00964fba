import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import { acceptStaged, stageOctets } from '../queue/restage.ts'
import { writeTlsReport } from '../reports/tls/write-report.ts'
import { noWishes } from '../store/queue.ts'
import { parseConfig } from './load-config.ts'
import { createServer } from './server.ts'

const report = writeTlsReport({
  ...{ organisation: 'Crepes', contact: '', reportId: 't1', begin: 0, end: 1_000, detailsLeftOut: 0 },
  policies: [
    {
      ...{ type: 'sts', domain: 'hamburger.edu', strings: [], mxHosts: [], succeeded: 5, failed: 1 },
      failures: [],
    },
  ],
})

test('a report that the queue files is read as one that comes in by a door', async (t) => {
  const { config } = parseConfig('hostname = "mail.hamburger.edu"\n', '/x/posthorn.toml')
  const server = await createServer(
    { ...config, data: temporaryFolder(t) },
    {
      ...{ clock: systemClock, random: systemRandom, log: silentLog, resolver: mapResolver({}) },
      ...{ dialler: () => Promise.reject(new Error('nobody is called in this test')), authorities: [] },
    },
  )
  t.after(() => server.close(0))
  const { store } = server
  await store.addDomain('hamburger.edu')
  await store.addAccount('bob@hamburger.edu', null)
  const text = `Subject: Report\r\nContent-Type: application/tlsrpt+json\r\n\r\n${report}`
  const recipients = [{ forwardPath: 'tls-reports@hamburger.edu', orcpt: null, notify: null }]
  const now = systemClock.now()
  const row = {
    ...{ accountId: 0, reversePath: 'a@crepes.fr', domain: 'hamburger.edu', recipients, prefix: '' },
    ...{ eightBit: false, smtpUtf8: false, envid: null, ret: null, wishes: noWishes, journeyId: null },
    ...{ nextAttemptAt: now, expiresAt: now + 60_000 },
  }
  await acceptStaged(store, await stageOctets(store, Buffer.from(text)), [], [row], [])
  const app = await server.adminApp()
  for (;;) {
    const { reports } = (await (await app.request('/v1/reports')).json()) as { reports: { domain: string }[] }
    if (reports.length > 0) {
      assert.deepEqual(
        reports.map(({ domain }) => domain),
        ['hamburger.edu'],
      )
      break
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
})
