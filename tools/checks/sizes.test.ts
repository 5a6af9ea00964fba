import assert from 'node:assert/strict'
import test from 'node:test'
import { checkSizes } from './sizes.ts'

test('a file of 500 lines and a function of 100 pass, a line more does not', () => {
  const body = (lines: number): string => `function f() {\n${'  g()\n'.repeat(lines - 2)}}\n`
  assert.deepEqual(checkSizes([{ path: 'src/a.ts', text: body(100) + '\n'.repeat(400) }]), [])
  const problems = checkSizes([{ path: 'src/a.ts', text: body(101) + '\n'.repeat(400) }])
  assert.match(problems[0]!, /^src\/a\.ts: 501 lines/)
  assert.match(problems[1]!, /^src\/a\.ts:1: f has 101 lines/)
})
