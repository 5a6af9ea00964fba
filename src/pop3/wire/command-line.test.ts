import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommandLine, parseMessageNumber, parseOptionalMessageNumber, parseTop } from './command-line.ts'
import { formatFirstLine, ok, Refusal, refuse } from './reply.ts'

test('A line is a keyword and what follows one space', () => {
  assert.deepEqual(parseCommandLine('quit'), { keyword: 'QUIT', args: '' })
  assert.deepEqual(parseCommandLine('PASS  a b '), { keyword: 'PASS', args: ' a b ' })
  assert.deepEqual(parseCommandLine('TOP 1 0'), { keyword: 'TOP', args: '1 0' })
  assert.deepEqual(parseCommandLine('USER j\xc3\xbcrgen'), { keyword: 'USER', args: 'j\xc3\xbcrgen' })
  for (const bad of [
    '',
    ' ',
    ' QUIT',
    'QU',
    'QUITE',
    'QUIT\t',
    'QU1T',
    '\xc3\xbcser',
    'NOOP\0',
    'A\rB',
    'USER a\x7f',
  ]) {
    assert.throws(() => parseCommandLine(bad), Refusal, JSON.stringify(bad))
  }
})

test('Numbers are digits and nothing else', () => {
  assert.equal(parseMessageNumber('1'), 1)
  assert.equal(parseMessageNumber(' 007 '), 7)
  assert.equal(parseMessageNumber('9'.repeat(400)), Infinity)
  assert.equal(parseOptionalMessageNumber(' '), null)
  assert.deepEqual(parseTop('1 0'), { messageNumber: 1, lines: 0 })
  assert.deepEqual(parseTop(` 1  ${'9'.repeat(400)} `), { messageNumber: 1, lines: Infinity })
  for (const bad of ['', '-1', '+1', '1.0', '1e3', '0x1', '1 2', '\u0661', 'NaN', 'Infinity']) {
    assert.throws(() => parseMessageNumber(bad), Refusal, bad)
  }
  for (const bad of ['', '1', '1 2 3', '1 -1', 'a 1']) assert.throws(() => parseTop(bad), Refusal, bad)
})

test('A reply is one line', () => {
  assert.equal(formatFirstLine(ok()), '+OK')
  assert.equal(formatFirstLine(ok('2 320')), '+OK 2 320')
  assert.equal(formatFirstLine(refuse('no such message').reply), '-ERR no such message')
  assert.equal(formatFirstLine(refuse('Later', 'SYS/TEMP').reply), '-ERR [SYS/TEMP] Later')
  assert.equal(formatFirstLine({ status: '+', code: null, text: '' }), '+ ')
})
