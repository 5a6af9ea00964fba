/** openssl s_client at every door: the certificate follows the name it asks for, by STARTTLS and by TLS from the start. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { parseConfig } from '../../src/daemon/load-config.ts'
import { createServer } from '../../src/daemon/server.ts'
import { mapResolver } from '../../src/dns/map-resolver.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { runProgram } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'
import { temporaryFolder } from '../harness/temp.ts'

/** Doors, and what s_client has to speak first. */
const ways = {
  smtp: ['-starttls', 'smtp'],
  submission: ['-starttls', 'smtp'],
  lmtp: ['-starttls', 'lmtp'],
  imap: ['-starttls', 'imap'],
  pop3: ['-starttls', 'pop3'],
  submissions: [],
  imaps: [],
  pop3s: [],
} as const

test('each door shows the certificate of the name that is asked for, and the first to who asks for none', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { openssl: 'openssl' } }, t))) return
  const folder = temporaryFolder(t)
  for (const name of ['mail.one.example', 'mail.two.example']) {
    const { certificate, key } = makeSelfSigned(
      { hostnames: [name] },
      { nowMs: systemClock.now(), random: systemRandom },
    )
    writeFileSync(join(folder, `${name}.pem`), certificate)
    writeFileSync(join(folder, `${name}.key`), key)
  }
  const tables = ['mail.one.example', 'mail.two.example'].map(
    (name) => `[[tls.certificate]]\ncertificate = "${name}.pem"\nkey = "${name}.key"\n`,
  )
  const doors = Object.keys(ways).map((door) => `${door} = ["127.0.0.1:0"]\n`)
  const text = `hostname = "mail.one.example"\n[listen]\n${doors.join('')}${tables.join('')}`
  const { config } = parseConfig(text, join(folder, 'posthorn.toml'))
  const server = await createServer(config, {
    ...{ clock: systemClock, random: systemRandom, log: silentLog, authorities: [] },
    resolver: mapResolver({}),
    dialler: () => Promise.reject(new Error('nobody is called in this test')),
  })
  t.after(() => server.close(0))
  for (const [door, how] of Object.entries(ways)) {
    const [, endpoint] = Object.entries(server.line).find(([name]) => name === door)!
    for (const [asked, shown] of [
      [['-servername', 'mail.two.example'], 'mail.two.example'],
      [['-servername', 'mail.one.example'], 'mail.one.example'],
      [['-noservername'], 'mail.one.example'],
    ] as const) {
      // It ends when its input does, after the handshake; nothing unknown is trusted.
      const trust = [
        '-CAfile',
        join(folder, `${shown}.pem`),
        '-verify_return_error',
        '-verify_hostname',
        shown,
      ]
      const ran = await runProgram(
        'openssl',
        ['s_client', '-connect', endpoint, ...how, ...asked, ...trust],
        {
          input: '',
        },
      )
      assert.match(ran.stdout, /Verification: OK/, `${door} ${asked.join(' ')}\n${ran.stdout}${ran.stderr}`)
      assert.match(ran.stdout, new RegExp(`Verified peername: ${shown.replaceAll('.', '\\.')}`))
      assert.equal(ran.code, 0, ran.stderr)
    }
  }
})
