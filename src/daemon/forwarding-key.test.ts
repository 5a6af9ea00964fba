import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom } from '../base/random.ts'
import { temporaryFolder } from '../../test/harness/temp.ts'
import { forwardingKeyFile, keepForwardingKey } from './forwarding-key.ts'

test('the key is made at its first use, for its owner only, and is the same for whoever asks', async (t) => {
  const folder = temporaryFolder(t)
  const keepers = Array.from({ length: 5 }, () => keepForwardingKey(folder, systemRandom))
  assert.deepEqual(readdirSync(folder), [])
  const keys = await Promise.all(keepers.map((key) => key()))
  assert.equal(keys[0]!.length, 32)
  for (const key of [...keys, await keepForwardingKey(folder, systemRandom)()]) {
    assert.deepEqual(Buffer.from(key), Buffer.from(keys[0]!))
  }
  assert.deepEqual(readdirSync(folder), [forwardingKeyFile])
  assert.equal(statSync(join(folder, forwardingKeyFile)).mode & 0o777, 0o600)
})

test('a damaged key is no reason to make another', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, forwardingKeyFile), 'abcd\n')
  const key = keepForwardingKey(folder, systemRandom)
  await assert.rejects(key(), /is no key: remove it/)
  writeFileSync(join(folder, forwardingKeyFile), `${'ab'.repeat(32)}\n`)
  assert.equal((await key())[0], 0xab)
})
