import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { checkAll, describeResults } from './check.ts'

test('the checkout passes npm run check: types, lint, format, imports, sizes, packages', async () => {
  const text = describeResults(await checkAll(join(import.meta.dirname, '..')))
  if (text !== '') assert.fail(`\n${text}`)
})
