import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { temporaryFolder } from '../test/harness/temp.ts'
import { pack, toJavaScript } from './pack.ts'

test('types go, and every relative name of a .ts file that exists becomes .js', (t) => {
  const folder = temporaryFolder(t)
  for (const name of ['b.ts', 'worker.ts']) writeFileSync(join(folder, name), '')
  const source = `import type { A } from './b.ts'
import b from "./b.ts"
const c: number = await import('./b.ts')
const d = new URL('./worker.ts', import.meta.url), e = 'a ./b.ts', f = './none.ts'
`
  const lines = toJavaScript(source, join(folder, 'a.ts')).split('\n')
  assert.equal(lines[0]?.trim(), '')
  assert.equal(lines[1], `import b from "./b.js"`)
  assert.equal(lines[2]?.replace(/ +/g, ' '), `const c = await import('./b.js')`)
  assert.equal(lines[3], `const d = new URL('./worker.js', import.meta.url), e = 'a ./b.ts', f = './none.ts'`)
})

test('a .ts name put together in a template is refused, since nobody could rename it', () => {
  assert.throws(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    () => toJavaScript('import(`./${name}.ts`)', '/a.ts'),
    /a\.ts:1: names a \.ts file in a template/,
  )
})

test('tests stay behind, other files come along', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'src', 'store'), { recursive: true })
  for (const name of ['a.ts', 'a.test.ts', 'store/001.sql']) writeFileSync(join(folder, 'src', name), 'x')
  pack(join(folder, 'src'), join(folder, 'dist'))
  assert.equal(readFileSync(join(folder, 'dist', 'a.js'), 'utf8'), 'x')
  assert.ok(existsSync(join(folder, 'dist', 'store', '001.sql')))
  assert.ok(!existsSync(join(folder, 'dist', 'a.test.js')))
})
