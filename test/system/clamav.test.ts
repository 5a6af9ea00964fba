/** Mail past Debian's clamd, unpacked and never installed, with a signature of our own instead of its database. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ClamavConfig } from '../../src/base/filter-config.ts'
import { createClamavFilter } from '../../src/smtp/filter/clamav/filter.ts'
import {
  openSession,
  sendMessage,
  testClient,
  testSurroundings,
} from '../../src/smtp/filter/filter-fixture.ts'
import { freePort, waitForPort } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'
import { unpackedEnvironment, unpackServer } from '../harness/programs.ts'
import { temporaryFolder } from '../harness/temp.ts'

const marker = 'posthorn test signature'

/** @returns Where it listens; null when the test has been skipped. */
async function startClamd(t: TestContext): Promise<ClamavConfig['place'][] | null> {
  const root = await unpackServer('clamav', ['clamav-daemon'], t)
  if (root === null) return null
  const folder = temporaryFolder(t)
  const port = await freePort()
  const socket = join(folder, 'clamd.sock')
  mkdirSync(join(folder, 'database'))
  // Name, any type of file, any offset, octets in hexadecimal.
  const signature = `Posthorn.Test:0:*:${Buffer.from(marker).toString('hex')}\n`
  writeFileSync(join(folder, 'database', 'test.ndb'), signature)
  const settings = {
    Foreground: 'yes',
    DatabaseDirectory: join(folder, 'database'),
    LocalSocket: socket,
    TCPSocket: port,
    TCPAddr: '127.0.0.1',
    StreamMaxLength: '1M',
  }
  const file = join(folder, 'clamd.conf')
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  )
  startProcess(t, join(root, 'usr/sbin/clamd'), ['-c', file], { env: unpackedEnvironment(root) })
  await waitForPort(port)
  return [
    { kind: 'inet', host: '127.0.0.1', port },
    { kind: 'unix', path: socket },
  ]
}

test('clamd lets a letter pass, finds what it knows, and says what is too large for it', async (t: TestContext) => {
  const places = await startClamd(t)
  if (places === null) return
  for (const place of places) {
    const config: ClamavConfig = {
      name: 'clamav',
      doors: ['smtp'],
      place,
      onFailure: 'tempfail',
      connectTimeoutMs: 10_000,
      timeoutMs: 20_000,
      maxOctets: 25_000_000,
      onFound: 'refuse',
      tooLarge: 'refuse',
    }
    const session = openSession(createClamavFilter(config, testSurroundings()), testClient())
    assert.deepEqual(await sendMessage(session, 'Subject: hello\r\n\r\nHi Bob\r\n'), {})
    session.reset!()
    const attached = Buffer.from(`before ${marker} after`).toString('base64')
    const letter =
      'MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=x.bin\r\n' +
      `Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=x.bin\r\n\r\n${attached}\r\n`
    const { refusal } = await sendMessage(session, letter)
    assert.deepEqual(refusal?.reply, {
      code: 554,
      status: '5.7.1',
      lines: ['Message holds Posthorn.Test.UNOFFICIAL'],
    })
    session.reset!()
    const long = `Subject: long\r\n\r\n${`${'x'.repeat(98)}\r\n`.repeat(15_000)}`
    // clamd answers and closes with octets unread, so that the system may throw its answer away: then nothing is known.
    const code = (await sendMessage(session, long)).refusal?.reply.code
    assert.ok(code === 552 || code === 451, String(code))
    session.close!()
  }
})
