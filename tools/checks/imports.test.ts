import assert from 'node:assert/strict'
import test from 'node:test'
import { findImports } from './imports.ts'

test('every way to name another file is found', () => {
  const source = `
    import './1.ts'
    import a, { type b as c } from './2.ts'
    import * as d from "./3.ts"
    import type { E } from './4.ts'
    export { f } from './5.ts'
    export * from './6.ts'
    export type { G } from './7.ts'
    const h: import('./8.ts').H = await import('./9.ts')
    new Worker(new URL('./10.ts', import.meta.url))
  `
  const numbers = findImports(source).map(({ specifier }) => Number(/\d+/.exec(specifier)?.[0]))
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  for (const { specifier, start } of findImports(source)) assert.ok(source.startsWith(specifier, start))
})

test('what only looks like an import is left alone', () => {
  const source = `
    // import './1.ts'
    const a = "import './2.ts'" + import.meta.url
    export const from = './3.ts'
    export { a }
    const c = Array.from('./4.ts')
    new URL('./5.ts', base)
  `
  assert.deepEqual(findImports(source), [])
})
