import assert from 'node:assert/strict'
import test from 'node:test'
import { checkComplete, checkPackageImports, checkScripts, checkVersions } from './packages.ts'

test('a range instead of a version is refused, and a lockfile that has another version', () => {
  const lockfile = { packages: { 'node_modules/a': { version: '1.0.0' } } }
  assert.deepEqual(checkVersions({ dependencies: { a: '1.0.0' } }, lockfile), [])
  assert.match(checkVersions({ dependencies: { a: '^1.0.0' } }, lockfile).join(), /name one version/)
  assert.match(checkVersions({ devDependencies: { a: '1.0.1' } }, lockfile).join(), /has a 1\.0\.0/)
  assert.match(checkVersions({ optionalDependencies: { b: '1.0.1' } }, lockfile).join(), /not at all/)
})

test('an optional package that the lockfile does not hold is named', () => {
  const packages = {
    '': { optionalDependencies: { a: '1.0.0' } },
    'node_modules/a': { optionalDependencies: { b: '1.0.0', c: '1.0.0', d: '1.0.0' } },
    'node_modules/a/node_modules/b': {},
    'node_modules/c': {},
  }
  assert.deepEqual(checkComplete({ packages }), [
    'package-lock.json: node_modules/a wants d, which is missing; choose another version',
  ])
})

test('a package with an install script is refused', () => {
  assert.equal(
    checkScripts({ packages: { 'node_modules/a': { hasInstallScript: true }, 'node_modules/b': {} } }).length,
    1,
  )
})

test('src imports what an installed package will have', () => {
  const check = (specifier: string): string[] =>
    checkPackageImports([{ path: 'src/cli/a.ts', text: `import x from '${specifier}'` }], {
      dependencies: { '@hono/node-server': '2.1.8' },
      devDependencies: { mailparser: '3.14.2' },
    })
  for (const good of ['node:fs', './b.ts', '@hono/node-server/serve-static'])
    assert.deepEqual(check(good), [])
  assert.match(check('mailparser').join(), /mailparser, which is not among/)
  assert.match(check('fs/promises').join(), /write node:fs\/promises/)
})
