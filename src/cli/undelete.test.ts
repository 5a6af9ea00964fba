import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSize } from './account-quota.ts'
import { CliError } from './cli-error.ts'
import { parseWhen } from './undelete.ts'

test('a time is so long ago, or a date', () => {
  const now = Date.UTC(2026, 10, 23)
  assert.equal(parseWhen('30m', now), now - 1_800_000)
  assert.equal(parseWhen('2h', now), now - 7_200_000)
  assert.equal(parseWhen('3d', now), now - 259_200_000)
  assert.equal(parseWhen('2026-11-22', now), Date.UTC(2026, 10, 22))
  assert.equal(parseWhen('2026-11-22T10:00Z', now), Date.UTC(2026, 10, 22, 10))
  for (const text of ['', '3', '3x', '-1d', 'yesterday', '1', '99999999d', '2026-99-99'])
    assert.throws(() => parseWhen(text, now), CliError, text)
})

test('a size is octets, or some letters more', () => {
  const sizes: [string, number | null][] = [
    ['none', null],
    ['0', 0],
    ['1000', 1_000],
    ['500M', 500_000_000],
    ['1.5GB', 1_500_000_000],
    ['2GiB', 2_147_483_648],
    ['10kb', 10_000],
  ]
  for (const [text, octets] of sizes) assert.equal(parseSize(text), octets, text)
  for (const text of ['', '-1', '1x', 'G', '1e9', '9999999T', '1.2.3M'])
    assert.throws(() => parseSize(text), CliError)
})
