/** Mail past Debian's Rspamd, unpacked and never installed: its own test patterns, and a rule of ours. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { RspamdConfig } from '../../src/base/filter-config.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import {
  openSession,
  sendMessage,
  testClient,
  testSurroundings,
} from '../../src/smtp/filter/filter-fixture.ts'
import { createHttpCaller } from '../../src/smtp/filter/http-call.ts'
import { KeeperPool } from '../../src/smtp/filter/keeper.ts'
import { createRspamdFilter } from '../../src/smtp/filter/rspamd/filter.ts'
import { freePort, waitForPort } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'
import { unpackedEnvironment, unpackServer } from '../harness/programs.ts'
import { temporaryFolder } from '../harness/temp.ts'

/** Tells on what it was told, and removes a field. */
const rule = `
rspamd_config:register_symbol({ name = 'POSTHORN', type = 'postfilter', callback = function(task)
  local from = task:get_from('smtp')
  local told = tostring(task:get_ip()) .. ' ' .. task:get_helo() .. ' ' .. from[1].addr .. ' ' .. task:get_queue_id()
  task:set_milter_reply({ add_headers = { ['X-Told'] = told }, remove_headers = { ['X-Gone'] = 0 } })
end })
`

/** @returns Its port; null when the test has been skipped. */
async function startRspamd(t: TestContext): Promise<number | null> {
  const root = await unpackServer('rspamd', ['rspamd'], t)
  if (root === null) return null
  const folder = temporaryFolder(t)
  const port = await freePort()
  const share = join(root, 'usr/share/rspamd')
  writeFileSync(join(folder, 'tld.dat'), 'example\n')
  writeFileSync(join(folder, 'rule.lua'), rule)
  writeFileSync(
    join(folder, 'rspamd.conf'),
    `options {
  filters = ""; enable_test_patterns = true; tempdir = "${folder}"; hs_cache_dir = "${folder}";
  pidfile = "${folder}/pid"; cache_file = "${folder}/cache"; history_file = "${folder}/history";
  url_tld = "${folder}/tld.dat";
  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
actions { reject = 15; add_header = 6; rewrite_subject = 8; }
lua = "${folder}/rule.lua";
`,
  )
  const variables = { SHAREDIR: share, LUALIBDIR: join(share, 'lualib'), RULESDIR: join(share, 'rules') }
  const args = Object.entries({ ...variables, CONFDIR: folder, DBDIR: folder, RUNDIR: folder })
  const environment = unpackedEnvironment(root)
  startProcess(
    t,
    join(root, 'usr/bin/rspamd'),
    // -i: the tests may run as root.
    ['-f', '-i', '-c', join(folder, 'rspamd.conf'), ...args.map(([name, value]) => `--var=${name}=${value}`)],
    {
      env: {
        ...environment,
        LD_LIBRARY_PATH: `${join(root, 'usr/lib/rspamd')}:${environment['LD_LIBRARY_PATH']}`,
      },
    },
  )
  await waitForPort(port)
  return port
}

test('Rspamd lets pass, marks, rewrites and refuses letters', async (t: TestContext) => {
  const port = await startRspamd(t)
  if (port === null) return
  const config: RspamdConfig = {
    name: 'rspamd',
    doors: ['smtp'],
    onFailure: 'tempfail',
    maxOctets: 10_000_000,
    url: `http://127.0.0.1:${port}/`,
    timeoutMs: 20_000,
    requests: 5,
    rejectScore: null,
    junkScore: null,
  }
  const around = testSurroundings()
  const caller = createHttpCaller(config, around)
  t.after(() => caller.close())
  const parts = { around, caller, pool: new KeeperPool(100_000_000), limits: defaultLimits }
  const session = openSession(createRspamdFilter(config, parts), testClient())
  const ask = async (line: string) => {
    session.reset!()
    return sendMessage(session, `From: ada@client.example\r\nX-Gone: 1\r\nSubject: hello\r\n\r\n${line}\r\n`)
  }
  /** GTUBE; the first letter says for which action. */
  const pattern = (action: string): string =>
    `${action}JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X`

  const passed = await ask('Hi Bob')
  assert.deepEqual(passed.fields, ['X-Told: 192.0.2.7 client.example ada@client.example journey1\r\n'])
  assert.equal(
    Buffer.from(passed.message!).toString(),
    'From: ada@client.example\r\nSubject: hello\r\n\r\nHi Bob\r\n',
  )
  assert.equal(passed.junk, undefined)

  assert.equal((await ask(pattern('X'))).refusal?.reply.code, 554)
  const marked = await ask(pattern('Y'))
  assert.equal(marked.junk, 'Rspamd: 6 of 15')
  const rewritten = await ask(pattern('Z'))
  assert.equal(rewritten.junk, 'Rspamd: 8 of 15')
  assert.match(Buffer.from(rewritten.message!).toString(), /^Subject: \*\*\* SPAM \*\*\* hello\r$/m)
  const large = await ask('x'.repeat(900).concat('\r\n').repeat(5_000))
  assert.equal(large.refusal, undefined)
  session.close!()
})
