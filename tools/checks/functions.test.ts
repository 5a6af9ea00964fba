import assert from 'node:assert/strict'
import test from 'node:test'
import { measureFunctions } from './functions.ts'

/** Sources with the functions that are in them, as `name line lines`. */
const table: [string, string[]][] = [
  ['function f(a: {\n b: 1 }) {\n}', ['f 1 3']],
  ['async function f(): Promise<{ a: number }> {\n  return g()\n}', ['f 1 3']],
  ['class C extends base(D) {\n  m(): this is X {\n  }\n  get x() {\n }\n}', ['m 2 2', 'x 4 2']],
  ['class C extends B<X> {\n a = 1\n}', []],
  ['interface I {\n m(): string\n}', []],
  ['const f = async (a: A): Promise<B | null> => {\n}', ['f 1 2']],
  ['const f = a => {\n}', ['f 1 2']],
  ['const f = () =>\n g(\n)\nconst b = 1', ['f 1 3']],
  ['const f = (x: X) => (\n x\n)', ['f 1 3']],
  [
    'if (a) {\n} else if (b) {\n} else {\n}\nfor (const x of y) {\n}\nwhile (z) {\n}\ntry {\n} catch (e) {\n}',
    [],
  ],
  ['switch (x) {\n case 1: {\n }\n}\nconst o = {\n a: {\n }\n}', []],
  ['const o = {\n m() {\n },\n n: function () {\n },\n}', ['m 2 2', 'function 4 2']],
  ['test("a", () =>\n replay(`{{\n`))', ['function 1 3']],
  ['function contract() {\n test("a", (t) => {\n  t.test("b")\n })\n}', ['function 2 3']],
  ['describe("a", () => {\n it("b", () => {\n })\n})', ['function 2 2']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ['const s = `${f(() => {\n})}` + { a: 1 }', ['function 1 2']],
  ['type F = (a: string) => void\nconst x: Record<string, () => number> = {\n}', []],
]

test('functions, methods and arrows are found, and blocks of other kinds are not', () => {
  for (const [source, expected] of table) {
    const found = measureFunctions(source)?.filter(({ lines }) => lines > 1)
    assert.deepEqual(
      found?.map(({ name, line, lines }) => `${name === '' ? '?' : name} ${line} ${lines}`),
      expected,
      source,
    )
  }
})

test('brackets that do not match are said to', () => {
  assert.equal(measureFunctions('function f( {'), null)
  assert.equal(measureFunctions('}'), null)
})
