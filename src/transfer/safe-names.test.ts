import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SafeNames } from './safe-names.ts'
import { transferFormats } from './source.ts'

test('names are as plain as they can be', () => {
  const names = new SafeNames('mbox', [])
  for (const [mailbox, path] of [
    ['INBOX', 'INBOX.mbox'],
    ['Work/2024', 'Work/2024.mbox'],
    ['Grüße', 'Grüße.mbox'],
    ['..', '%2E%2E.mbox'],
    ['a/../b', 'a/%2E%2E/b.mbox'],
    ['con: 50%?', 'con%3A 50%25%3F.mbox'],
    ['Work.mbox/2024', 'Work%2Embox/2024.mbox'],
  ] as const) {
    assert.equal(names.pathFor(mailbox), path)
  }
  assert.equal(new SafeNames('maildir', []).pathFor('INBOX'), '.')
  assert.equal(new SafeNames('maildir', []).pathFor('Work/a.b'), '.Work.a%2Eb')
})

const step = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'é',
    'e\u0301',
    '.',
    '..',
    'a.mbox',
    'cur',
    '~',
    'x'.repeat(300),
    'INBOX',
    '%2E',
    '\\',
    '&',
  ),
  fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme' }).map((text) => text.replaceAll('/', '_')),
)
const mailbox = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/'))

test('every mailbox has a path of its own that no file system refuses and none leaves the folder', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(mailbox, { maxLength: 12 }),
      fc.constantFrom(...transferFormats),
      (mailboxes, format) => {
        const names = new SafeNames(format, [])
        const paths = mailboxes.map((one) => names.pathFor(one))
        assert.equal(
          new Set(paths.map((path) => path.normalize('NFC').toLowerCase())).size,
          paths.length,
          paths.join(' '),
        )
        for (const path of paths.filter((one) => one !== '.')) {
          for (const part of path.split('/')) {
            assert.ok(Buffer.byteLength(part) <= 255 && part !== '' && part !== '..' && part !== '.', path)
            assert.doesNotMatch(part, format === 'maildir' ? /[\x00-\x1f]/ : /[\x00-\x1f\\:*?"<>|]/)
          }
          // A folder of one mailbox must not be the file of another.
          const others = paths.filter((one) => one !== path)
          if (format === 'mbox') assert.ok(!others.some((one) => one.startsWith(`${path}/`)), path)
        }
      },
    ),
    { numRuns: 500 },
  )
})
