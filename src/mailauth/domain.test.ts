import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDomain } from './domain.ts'

test('domains are compared in A-labels and lower case, however they are written', () => {
  for (const [text, domain] of [
    ['Crepes.Example.', 'crepes.example'],
    ['crêpes.example', 'xn--crpes-isa.example'],
    ['crÃªpes.example', 'xn--crpes-isa.example'],
    ['_dmarc.crepes.example', '_dmarc.crepes.example'],
    ['', null],
    ['[192.0.2.1]', null],
    ['a..b', null],
    ['a b.example', null],
    [`${'a'.repeat(64)}.example`, null],
  ] as const) {
    assert.equal(readDomain(text), domain, text)
  }
})
