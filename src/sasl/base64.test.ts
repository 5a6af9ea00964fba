import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base64LineOctets, decodeBase64Line, decodeInitialResponse, encodeBase64 } from './base64.ts'

test('A line of base64 has one form and no other', () => {
  assert.equal(decodeBase64Line(''), '')
  assert.equal(decodeBase64Line('AGJvYgBodW5ncnk='), '\0bob\0hungry')
  assert.equal(decodeBase64Line('//8='), '\xff\xff')
  for (const bad of [
    'A',
    'AA',
    'AA=',
    'AA===',
    'AB==',
    '=',
    '*',
    'AAAA ',
    ' AAAA',
    '-_8=',
    'AA==AA==',
    'AAA\xe9',
    'AAAA\r',
  ]) {
    assert.equal(decodeBase64Line(bad), null, bad)
  }
})

test('A line of base64 is bounded, RFC 4954 §4.5', () => {
  assert.equal(decodeBase64Line('A'.repeat(base64LineOctets))?.length, 9_216)
  assert.equal(decodeBase64Line('A'.repeat(base64LineOctets + 4)), null)
})

test('An equals sign alone is an initial response of no octets', () => {
  assert.equal(decodeInitialResponse('='), '')
  assert.equal(decodeInitialResponse(''), null)
  assert.equal(decodeInitialResponse('dGlt'), 'tim')
})

test('What is encoded is read again', () => {
  const octets = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
  assert.equal(decodeBase64Line(encodeBase64(octets)), octets)
})
