/** No row of the lecture is forgotten: each is proven by a test that is named after it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')

/** Rows of the lecture's table that have been built. */
const rows = Array.from({ length: 16 }, (_, index) => `L${index + 1}`)

test('each row of the lecture from L1 to L16 has a test that is named after it', () => {
  const folders = ['test/lecture', 'examples/sockets']
  const texts = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  )
  const named = new Set(
    texts.flatMap((text) => Array.from(text.matchAll(/['`[](L\d+)\b/g), ([, row]) => row)),
  )
  assert.deepEqual(
    rows.filter((row) => !named.has(row)),
    [],
  )
})
