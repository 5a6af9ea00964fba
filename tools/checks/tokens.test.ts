import assert from 'node:assert/strict'
import test from 'node:test'
import { tokenize } from './tokens.ts'

const table: [string, string[]][] = [
  [`a / b / c`, ['a', '/', 'b', '/', 'c']],
  [`x = /[/{]\\/}/g.test(y)`, ['x', '=', '/[/{]\\/}/g', '.', 'test', '(', 'y', ')']],
  [`if (x) /}/.exec(y)`, ['if', '(', 'x', ')', '/}/', '.', 'exec', '(', 'y', ')']],
  [`(x) / 2 // }`, ['(', 'x', ')', '/', '2']],
  [`return /{/`, ['return', '/{/']],
  [`'it\\'s {' + "{"`, [`'it\\'s {'`, '+', '"{"']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ['`a{${ {b: `}`} }c` /* } */ d', ['`a{${', '{', 'b', ':', '`}`', '}', '}c`', 'd']],
  ['`\\${` + `$x`', ['`\\${`', '+', '`$x`']],
  [`#!/usr/bin/env node\na?.b => 1.5e3`, ['a', '?.', 'b', '=>', '1.5e3']],
  [`<p>Don't</p>`, ['<', 'p', '>', 'Don', "'", 't', '<', '/', 'p', '>']],
]

test('strings, templates, comments and regular expressions hide their braces', () => {
  for (const [source, expected] of table) {
    assert.deepEqual(
      tokenize(source).map(({ text }) => text),
      expected,
      source,
    )
  }
})

test('a token knows the lines of its first and last character', () => {
  const lines = tokenize('/* one\ntwo */ a `b\nc`\n\nd').map(({ line, endLine }) => [line, endLine])
  assert.deepEqual(lines, [
    [2, 2],
    [2, 3],
    [5, 5],
  ])
})
