import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  byArrival,
  folderOfMailbox,
  formatKeywordFile,
  infoOf,
  mailboxOfFolder,
  marksOfName,
  parseKeywordFile,
  uniqueName,
} from './maildir-names.ts'

const keywordNames = ['work', '$Label1', 'later']

test('flags are read from names of all kinds', () => {
  const cases: readonly (readonly [string, string, number, readonly string[]])[] = [
    ['1.a.host', '1.a.host', 0, []],
    ['1.a.host:2,', '1.a.host', 0, []],
    ['1.a.host:2,S', '1.a.host', 1, []],
    ['1.a.host:2,FRSTDP', '1.a.host', 31, ['$Forwarded']],
    ['1.a.host;2,FS', '1.a.host', 5, []],
    ['1.a.host!2,S', '1.a.host', 1, []],
    ['1.a.host,S=123,W=125:2,Sab', '1.a.host,S=123,W=125', 1, ['work', '$Label1']],
    ['1.a.host:2,Sz', '1.a.host', 1, []],
    ['1.a.host:1,xyz', '1.a.host:1,xyz', 0, []],
  ]
  for (const [name, unique, flags, keywords] of cases) {
    assert.equal(uniqueName(name), unique)
    assert.deepEqual(marksOfName(name, keywordNames), { flags, keywords }, name)
  }
})

test('flags come back from the name they are written into', () => {
  fc.assert(
    fc.property(fc.nat(31), fc.subarray(['work', '$Label1', 'later', '$Forwarded']), (flags, keywords) => {
      const info = infoOf({ flags, keywords }, keywordNames)
      assert.match(info, /^:2,D?F?P?R?S?T?a?b?c?$/)
      const { flags: read, keywords: names } = marksOfName(`1.a${info}`, keywordNames)
      assert.deepEqual([read, [...names].sort()], [flags, [...keywords].sort()])
    }),
  )
})

test('dovecot-keywords is read and written', () => {
  assert.deepEqual(parseKeywordFile('0 work\n1 $Label1\n2 later\n'), keywordNames)
  assert.equal(formatKeywordFile(keywordNames), '0 work\n1 $Label1\n2 later\n')
  assert.deepEqual(parseKeywordFile('nonsense\n'), [])
})

test('folders are mailboxes', () => {
  for (const [folder, mailbox] of [
    ['.Sent', 'Sent'],
    ['.Work.2024', 'Work/2024'],
    ['.INBOX.Work', 'INBOX/Work'],
    ['.Entw&APw-rfe', 'Entwürfe'],
    ['.Grüße', 'Grüße'],
    ['.R&D', 'R&D'],
    ['.R&-D', 'R&D'],
  ] as const) {
    assert.equal(mailboxOfFolder(folder), mailbox)
  }
  assert.equal(folderOfMailbox('Entwürfe/a.b'), '.Entw&APw-rfe.a%2Eb')
})

test('files are in the order of their arrival', () => {
  assert.deepEqual(['10.b', '9.z', 'x', '10.a'].sort(byArrival), ['9.z', '10.a', '10.b', 'x'])
})
