import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { runProcess } from './process.ts'
import { temporaryFolder } from './temp.ts'

const programs = JSON.stringify(join(import.meta.dirname, 'programs.ts'))

test('a suite whose program is missing is skipped and mentioned, and fails nothing by itself', async (t) => {
  const folder = temporaryFolder(t)
  const [suite, skipped] = [join(folder, 'suite.test.mts'), join(folder, 'skipped')]
  writeFileSync(
    suite,
    `import test from 'node:test'
    import { requirePrograms } from ${programs}
    test('x', async (t) => {
      if (!(await requirePrograms({ debian: { 'no-such-program': 'no-such-package' } }, t))) return
      throw new Error('went on')
    })`,
  )
  const env = { POSTHORN_SKIPPED: skipped, POSTHORN_INSTALL: '0', CI: '', NODE_TEST_CONTEXT: undefined }
  const result = await runProcess(t, process.execPath, ['--test', suite], { env })
  assert.equal(result.code, 0, result.stdout)
  assert.match(result.stdout, /skipped 1/)
  assert.equal(readFileSync(skipped, 'utf8'), 'suite.test.mts needs no-such-program\n')
})
