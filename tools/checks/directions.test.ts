import assert from 'node:assert/strict'
import test from 'node:test'
import { checkDirections, roomOf } from './directions.ts'

function problems(path: string, specifier: string): string[] {
  return checkDirections([{ path, text: `import type { X } from '${specifier}'\n` }])
}

test('a room imports itself, lower lines and the four exceptions', () => {
  const allowed: [string, string][] = [
    ['src/cli/main.ts', '../lab/start.ts'],
    ['src/smtp/server/commands/mail.ts', '../../wire/mail.ts'],
    ['src/smtp/server/session.ts', './commands/mail.ts'],
    ['src/store/sqlite/expunge.ts', '../changes.ts'],
    ['src/delivery/a.ts', '../queue/b.ts'],
    ['src/submission/a.ts', '../queue/b.ts'],
    ['src/mailauth/a.ts', '../dns/b.ts'],
    ['src/smtp/client/a.ts', '../../tls/b.ts'],
    ['src/cli/version.ts', '../../package.json'],
    ['src/base/clock.test.ts', '../cli/main.ts'],
  ]
  for (const [path, specifier] of allowed)
    assert.deepEqual(problems(path, specifier), [], `${path} ${specifier}`)
})

test('an import upward, sideways, between access protocols or out of src is refused', () => {
  const refused: [string, string, RegExp][] = [
    [
      'src/base/clock.ts',
      '../journey/event.ts',
      /src\/base\/clock.ts:1: base imports journey, which is above/,
    ],
    ['src/store/a.ts', '../daemon/b.ts', /above/],
    ['src/queue/a.ts', '../delivery/b.ts', /neighbour/],
    ['src/dns/a.ts', '../mailauth/b.ts', /neighbour/],
    ['src/imap/wire/a.ts', '../../message/b.ts', /neighbour/],
    ['src/imap/server/a.ts', '../../pop3/wire/b.ts', /never meet/],
    ['src/cli/a.ts', '../../test/harness/temp.ts', /outside src/],
    ['src/cli/a.ts', '../utils/b.ts', /no room/],
    ['src/utils/a.ts', '../base/b.ts', /no such room/],
  ]
  for (const [path, specifier, message] of refused) assert.match(problems(path, specifier).join(), message)
})

test('a file belongs to the room of its longest known folder', () => {
  assert.equal(roomOf('src/store/sqlite/a.ts'), 'store')
  assert.equal(roomOf('src/smtp/client/a.ts'), 'smtp/client')
  assert.equal(roomOf('src/smtp/a.ts'), null)
  assert.equal(roomOf('src/main.ts'), null)
})
