import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageScanner } from '../message/scan.ts'
import { seedLetterOctets, seedLetters } from './seed-letters.ts'

test('L12 Bob’s two letters have exactly 498 and 912 octets', () => {
  assert.deepEqual(
    seedLetters().map((letter) => letter.length),
    [...seedLetterOctets],
  )
  assert.deepEqual([...seedLetterOctets], [498, 912])
})

test('L10 Bob’s letters are headers, an empty line and a body, in 7-bit ASCII', () => {
  for (const letter of seedLetters()) {
    const scanner = new MessageScanner()
    scanner.push(letter)
    const scan = scanner.finish()
    assert.equal(scan.hasHeader, true)
    assert.deepEqual([scan.eightBit, scan.bareLf, scan.bareCr], [false, false, false])
    assert.ok(scan.headerOctets < scan.octets)
    for (const line of letter.toString('latin1').split('\r\n')) assert.ok(line.length <= 78, line)
  }
})
