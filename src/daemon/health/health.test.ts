import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { speakTo } from '../../../test/harness/replay.ts'
import { temporaryFolder } from '../../../test/harness/temp.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { mapResolver } from '../../dns/map-resolver.ts'
import { parseEndpoint } from '../endpoint-text.ts'
import { parseConfig } from '../load-config.ts'
import { createServer } from '../server.ts'
import { Counter, Latencies } from './metrics.ts'
import { startProbe } from './probe.ts'

const doors = 'smtp = ["127.0.0.1:0"]\nhttp = ["127.0.0.1:0"]\nmetrics = ["127.0.0.1:0"]\n'

async function ask(base: string, path: string, method = 'GET') {
  const response = await fetch(`${base}${path}`, { method, headers: { connection: 'close' } })
  return { status: response.status, text: await response.text() }
}

test('a server tells that it lives, that it is ready, and what it counted; 503 while it drains', async (t) => {
  const folder = temporaryFolder(t)
  const text = `hostname = "mail.one.example"\ndata = "data"\n[listen]\n${doors}[limits]\ndisk_reserve_octets = 0\n`
  const { config, warnings } = parseConfig(text, join(folder, 'posthorn.toml'))
  assert.deepEqual(warnings, [])
  const server = await createServer(config, {
    ...{ clock: systemClock, random: systemRandom, log: silentLog, authorities: [] },
    resolver: mapResolver({}),
    dialler: () => Promise.reject(new Error('nobody is called in this test')),
  })
  t.after(() => server.close(0))
  const at = server.line as unknown as { http: string; metrics: string; smtp: string }
  for (const one of [at.http, at.metrics]) assert.match(one, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal((await ask(at.http, '/healthz')).status, 200)
  assert.deepEqual(await ask(at.http, '/readyz'), { status: 200, text: '{"ready":true,"reasons":{}}\n' })
  assert.equal((await ask(at.http, '/metrics')).status, 404)
  assert.equal((await ask(at.http, '/readyz', 'POST')).status, 405)

  const speaker = await speakTo(parseEndpoint(at.smtp))
  await speaker.expect('220 mail.one.example ESMTP')
  speaker.send('HELO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@elsewhere.example>\r\n')
  for (const reply of ['250 <…>', '250 <…>', '550 <…>']) await speaker.expect(reply)
  const { text: told } = await ask(at.metrics, '/metrics')
  assert.match(told, /^posthorn_connections\{door="smtp"\} 1$/m)
  assert.match(told, /^posthorn_connections_accepted_total\{door="smtp"\} 1$/m)
  assert.match(told, /^posthorn_smtp_replies_total\{class="2xx"\} 3$/m)
  assert.match(told, /^posthorn_smtp_replies_total\{class="5xx"\} 1$/m)
  assert.match(told, /^posthorn_queue_entries 0$/m)
  assert.match(told, /^posthorn_search_index_accounts 0$/m)
  assert.match(told, /^posthorn_search_index_behind 0$/m)
  assert.match(told, /^posthorn_store_commit_seconds_bucket\{le="\+Inf"\} 0$/m)
  assert.match(told, /^posthorn_ready 1$/m)
  // Exposition format: each line is a comment, or a name with labels and a number.
  for (const line of told.trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) posthorn_\w+ .+|posthorn_\w+(\{\w+="[^"\\]*"\})? [0-9.e+-]+)$/)
  }
  speaker.send('DATA\r\n')
  await speaker.expect('5<…>')
  speaker.send('RSET\r\nHELO a.example\r\n')
  await speaker.expect('250 <…>')
  await speaker.expect('250 <…>')
  const closed = server.close(5_000)
  const { status, text: draining } = await ask(at.http, '/readyz')
  assert.equal(status, 503)
  assert.match(draining, /"draining"/)
  speaker.socket.destroy()
  await closed
  await assert.rejects(ask(at.http, '/healthz'))
})

test('what stands in the way is named: store, queue, disk and name servers', async (t) => {
  const bad = () => Promise.reject(new Error('no'))
  const probe = await startProbe({
    store: { listQueue: bad, proveWrites: bad },
    queue: { runs: false },
    resolver: { query: bad },
    hostname: 'mail.one.example',
    dataFolder: temporaryFolder(t),
    clock: systemClock,
    diskReserveOctets: () => Number.MAX_SAFE_INTEGER,
  })
  t.after(() => probe.close())
  assert.deepEqual(Object.keys(probe.findings.reasons).sort(), ['disk', 'dns', 'queue', 'store', 'write'])
  assert.ok(probe.findings.diskFreeOctets! > 0)
})

test('labels are those of the beginning, and latencies fall between bounds', () => {
  const counter = new Counter(['a', 'b'])
  counter.add('a')
  counter.add('c' as 'a')
  assert.deepEqual(
    [...counter.values],
    [
      ['a', 1],
      ['b', 0],
    ],
  )
  const latencies = new Latencies()
  for (const ms of [0.5, 1, 1.5, 9_999]) latencies.add(ms)
  assert.deepEqual([latencies.counts[0], latencies.counts[1], latencies.counts.at(-1)], [2, 1, 1])
})
