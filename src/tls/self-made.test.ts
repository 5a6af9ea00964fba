import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { loadOrMakeCertificate, selfMadeFile } from './self-made.ts'
import { createServerTls } from './server-tls.ts'

const day = 86_400_000

test('a server without a certificate makes one, keeps it, and renews it before it expires', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-tls-'))
  try {
    const clock = new FakeClock()
    const load = (hostname = 'mx.hamburger.example') =>
      loadOrMakeCertificate(folder, hostname, clock, systemRandom)
    const first = await load()
    createServerTls(first)
    const file = join(folder, selfMadeFile)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(folder), [selfMadeFile])

    clock.advance(699 * day)
    assert.deepEqual(await load(), first)
    clock.advance(2 * day)
    const renewed = await load()
    assert.notEqual(renewed.certificate, first.certificate)
    assert.notEqual((await load('mx.crepes.example')).certificate, renewed.certificate)

    await writeFile(file, 'no certificate at all')
    createServerTls(await load())
    assert.deepEqual(await readdir(folder), [selfMadeFile])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a folder that cannot be written is an error', async () => {
  await assert.rejects(
    loadOrMakeCertificate('/nonexistent', 'a.example', new FakeClock(), systemRandom),
    /ENOENT/,
  )
})
