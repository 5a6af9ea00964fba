import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable, formatWhen, noStyle, styleFor } from './terminal.ts'

test('columns line up, numbers stand to the right, and nothing trails', () => {
  const rows = [
    ['bob@hamburger.edu', 3, ''],
    ['a@b', 120, 'no log-in'],
  ] as const
  assert.equal(
    formatTable(['ACCOUNT', 'MESSAGES', ''], rows),
    'ACCOUNT            MESSAGES\nbob@hamburger.edu         3\na@b                     120  no log-in\n',
  )
})

test('a cell cannot steer the terminal or break its line', () => {
  assert.doesNotMatch(formatTable(['X'], [['a\x1b[2J\nb']]).slice(2), /\x1b|\n./)
})

test('colours are for terminals, and not for who says NO_COLOR', () => {
  assert.equal(styleFor({ isTTY: true }, {}).bold('x'), '\x1b[1mx\x1b[0m')
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: '1' }), noStyle)
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: '' }) === noStyle, false)
  assert.equal(styleFor({ isTTY: true }, { TERM: 'dumb' }), noStyle)
  assert.equal(styleFor({}, {}), noStyle)
})

test('times are told as people tell them', () => {
  const told = [0, 30_000, 119_000, 300_000, 7_200_000, 200_000_000].map((ms) => formatWhen(ms, 0))
  assert.deepEqual(told, ['now', 'in 30 s', 'in 119 s', 'in 5 min', 'in 2 h', 'in 2 d'])
  assert.equal(formatWhen(0, 60_000), '60 s ago')
})
