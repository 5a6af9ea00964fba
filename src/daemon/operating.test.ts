import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { doorNames } from '../base/config.ts'
import { defaultLimits } from '../base/limits.ts'
import { limitKey, parseConfig } from './load-config.ts'

const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')

test('docs/operating.md names every limit with its default, and no other', () => {
  const rows = Array.from(operating.matchAll(/^\| `(\w+)` \| (\d+) \|/gm), ([, key, value]) => [
    ...[key, Number(value)],
  ])
  const limits = Object.entries(defaultLimits).map(([name, value]) => [limitKey(name), value])
  assert.deepEqual(rows, limits)
})

test('docs/operating.md shows configurations that can be used, and names every door', () => {
  const files = Array.from(operating.matchAll(/```toml\n(.*?)```/gs), ([, text]) => text!)
  assert.equal(files.filter((text) => text.startsWith('hostname')).length, 2)
  // A part of a file is read as if it stood below the first.
  const whole = (text: string): string => (text.startsWith('hostname') ? text : `${files[0]}\n${text}`)
  for (const text of files.map(whole))
    assert.deepEqual(parseConfig(text, '/etc/posthorn/posthorn.toml').warnings, [])
  for (const door of doorNames) assert.ok(operating.includes(`\`listen.${door}\``), door)
})
