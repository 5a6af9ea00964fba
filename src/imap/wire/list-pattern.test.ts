import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileListPattern } from './list-pattern.ts'

const cases: [string, string, boolean][] = [
  ['*', 'a/b/c', true],
  ['%', 'a', true],
  ['%', 'a/b', false],
  ['%/%', 'a/b', true],
  ['a*', 'a/b', true],
  ['*b', 'a/b', true],
  ['a%c', 'abc', true],
  ['a%c', 'a/c', false],
  ['%*%', '', true],
  ['', '', true],
  ['', 'a', false],
  ['INBOX', 'INBOX', true],
  ['INBOX', 'INBOX/a', false],
  ['*a*b*c*', 'xxaxxbxx/cxx', true],
]
for (const [pattern, name, expected] of cases) {
  test(`LIST pattern "${pattern}" ${expected ? 'matches' : 'does not match'} "${name}"`, () => {
    assert.equal(compileListPattern(pattern, '/').matches(name), expected)
  })
}

test('A pattern matches what the same regular expression matches', () => {
  const unit = fc.constantFrom('a', 'b', '/', '*', '%')
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 40 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 45 }),
      (pattern, name) => {
        const expression = pattern.replace(/[*%]{2,}/g, (run) => (run.includes('*') ? '*' : '%'))
        const regular = new RegExp(`^${expression.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`)
        assert.equal(compileListPattern(pattern, '/').matches(name), regular.test(name))
      },
    ),
    { numRuns: 3000 },
  )
})

test('A hostile pattern costs no more than its length', () => {
  const began = performance.now()
  const pattern = compileListPattern('%a*'.repeat(300) + 'b', '/')
  for (let i = 0; i < 20; i++) assert.equal(pattern.matches('a'.repeat(1000)), false)
  assert.ok(performance.now() - began < 1000)
})
