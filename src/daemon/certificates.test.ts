import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { FakeClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { mapResolver } from '../dns/map-resolver.ts'
import { makeSelfSigned } from '../tls/certificate.ts'
import { createServerTls } from '../tls/server-tls.ts'
import { keepCertificates, loadCertificates } from './certificates.ts'
import { parseConfig } from './load-config.ts'

test('changed files are used without being told, a broken one is named once and changes nothing', async (t) => {
  const folder = temporaryFolder(t)
  const clock = new FakeClock(Date.now())
  const said: string[] = []
  const heard = Promise.withResolvers<void>()
  let wake = heard
  const say = (message: string): void => {
    said.push(message)
    wake.resolve()
  }
  const log: Log = { ...silentLog, info: say, warn: say, error: say }
  const make = (days: number) =>
    makeSelfSigned({ hostnames: ['mail.one.example'] }, { nowMs: clock.now(), days, random: systemRandom })
  const put = async ({ certificate, key }: { certificate: string; key: string }) => {
    await writeFile(join(folder, 'cert.pem'), certificate)
    await writeFile(join(folder, 'key.pem'), key)
  }
  const first = make(90)
  await put(first)
  const text = 'hostname = "mail.one.example"\n[tls]\ncertificate = "cert.pem"\nkey = "key.pem"\n'
  const { config } = parseConfig(text, join(folder, 'posthorn.toml'))
  const world = {
    ...{ clock, log, random: systemRandom, resolver: mapResolver({}), authorities: [] },
    dialler: () => Promise.reject(new Error('nobody is called in this test')),
  }
  const tls = createServerTls(await loadCertificates(config, world))
  const before = tls.certificates[0]!.fingerprint
  t.after(keepCertificates({ tls, world, config: () => config }))

  /** Lets time pass until the log says something. */
  async function hear(): Promise<string[]> {
    wake = Promise.withResolvers<void>()
    let waiting = true
    const said1 = wake.promise.then(() => (waiting = false))
    while (waiting) {
      clock.advance(config.limits.certificateCheckMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await said1
    return said.splice(0)
  }
  await writeFile(join(folder, 'key.pem'), make(90).key)
  assert.deepEqual(await hear(), ['the TLS certificates stay as they were'])
  assert.equal(tls.certificates[0]!.fingerprint, before)
  await put(make(120))
  assert.deepEqual(await hear(), ['the TLS certificates changed and are in use'])
  assert.notEqual(tls.certificates[0]!.fingerprint, before)
  clock.advance(115 * 86_400_000)
  assert.match((await hear())[0]!, /expires in 4 days/)
})
