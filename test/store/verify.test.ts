/** Each kind of damage that is done to a store is found, and named by account, mailbox and UID where it has them. */
import assert from 'node:assert/strict'
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { tmpdir } from 'node:os'
import { verifyStore } from '../../src/store/backup.ts'
import { isList } from '../../src/store/sqlite/verify/check-emails.ts'
import { testFolder } from './folder.ts'
import { alter, fillStore, openAt, opened } from './kept-store.ts'

let whole = ''

before(async () => {
  whole = mkdtempSync(join(tmpdir(), 'posthorn-verify-test-'))
  const store = await openAt(whole)
  await fillStore(store)
  await store.close()
})

after(() => rmSync(whole, { recursive: true, force: true }))

const verify = (folder: string, quick = false) => verifyStore(null, folder, quick, () => {})

interface Corruption {
  readonly what: string
  /** Statements, or what is done to the folder. */
  readonly plant: string | ((folder: string) => void)
  readonly kind: string
  readonly where?: readonly [string, string | null, number | null]
  readonly text?: RegExp
  /** Found without reading bodies, too. */
  readonly quick: boolean
}

const bob = 'bob@hamburger.example'
const alice = 'alice@hamburger.example'
const segment = (folder: string) => join(folder, 'shard-00/seg/0-1.seg')

/** Where the body of a message lies. */
function placeOf(folder: string, account: number, uid: number): { offset: number; stored: number } {
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'), { readOnly: true })
  const row = db
    .prepare(
      `SELECT b.offset, b.stored FROM message m JOIN email e USING (email) JOIN blob b ON b.blob = e.blob
        WHERE m.account = ? AND m.mailbox = 1 AND m.uid = ?`,
    )
    .get(account, uid) as { offset: number; stored: number }
  db.close()
  return row
}

function flip(file: string, at: number): void {
  const octets = readFileSync(file)
  octets[at]! ^= 1
  writeFileSync(file, octets)
}

function largeFile(folder: string): string {
  const big = join(folder, 'shard-00/big')
  const within = readdirSync(big).find((name) => name !== 'tmp' && readdirSync(join(big, name)).length > 0)!
  return join(big, within, readdirSync(join(big, within))[0]!)
}

const corruptions: Corruption[] = [
  {
    what: 'one bit of a body in a segment',
    plant: (folder) => flip(segment(folder), placeOf(folder, 1, 5).offset + 40 + 50),
    ...{ kind: 'body', where: [bob, 'INBOX', 5], text: /checksum/, quick: false },
  },
  {
    what: 'the header of a record',
    plant: (folder) => flip(segment(folder), placeOf(folder, 2, 1).offset),
    ...{ kind: 'body', where: [alice, 'INBOX', 1], text: /no record begins/, quick: true },
  },
  {
    what: 'one bit of a large body',
    plant: (folder) => flip(largeFile(folder), 300_000),
    ...{ kind: 'body', where: [alice, 'INBOX', 5], text: /SHA-256 of big/, quick: false },
  },
  {
    what: 'a large body that is gone',
    plant: (folder) => rmSync(largeFile(folder)),
    ...{ kind: 'body', where: [bob, 'INBOX', 17], text: /no file/, quick: true },
  },
  {
    what: 'a segment that was cut',
    plant: (folder) => truncateSync(segment(folder), statSync(segment(folder)).size - 1),
    ...{ kind: 'segment', text: /the tables know/, quick: true },
  },
  {
    what: 'a segment that is gone',
    plant: (folder) => renameSync(segment(folder), `${segment(folder)}.away`),
    ...{ kind: 'body', where: [bob, 'INBOX', 1], text: /no file of segment 1/, quick: true },
  },
  {
    what: 'a key that cannot sign',
    plant: "UPDATE domain_key SET private_key = 'SECRET'",
    ...{ kind: 'domain-key', text: /^The key hamburger\.example 2026a-ed cannot sign$/, quick: true },
  },
  {
    what: 'a key of no domain',
    plant: "UPDATE domain_key SET domain = 'nowhere.example'",
    ...{ kind: 'domain-key', text: /nowhere\.example/, quick: true },
  },
  {
    what: 'a message without its email',
    plant:
      'DELETE FROM email WHERE email = (SELECT email FROM message WHERE account = 1 AND mailbox = 1 AND uid = 6)',
    ...{ kind: 'message-email', where: [bob, 'INBOX', 6], quick: true },
  },
  {
    what: 'an email without its body row',
    plant:
      'DELETE FROM blob WHERE blob = (SELECT blob FROM email JOIN message USING (email) WHERE message.account = 1 AND mailbox = 1 AND uid = 6)',
    ...{ kind: 'email-body', where: [bob, 'INBOX', 6], quick: true },
  },
  {
    what: 'a row that points at another body',
    plant:
      'UPDATE blob SET offset = (SELECT offset FROM blob WHERE blob = 2), octets = octets WHERE blob = 7',
    ...{ kind: 'body', text: /another hash|another length/, quick: true },
  },
  {
    what: 'a mailbox that counts wrongly',
    plant: "UPDATE mailbox SET total = total + 1 WHERE account = 1 AND name = 'Projects/2026'",
    ...{ kind: 'mailbox-total', where: [bob, 'Projects/2026', null], quick: true },
  },
  {
    what: 'an unseen message too many',
    plant: 'UPDATE mailbox SET unseen = unseen + 1 WHERE account = 2 AND mailbox = 1',
    ...{ kind: 'mailbox-unseen', where: [alice, 'INBOX', null], quick: true },
  },
  {
    what: 'UIDNEXT that gives out a UID again',
    plant: 'UPDATE mailbox SET uidnext = 3 WHERE account = 1 AND mailbox = 1',
    ...{ kind: 'uidnext', where: [bob, 'INBOX', null], quick: true },
  },
  {
    what: 'a MODSEQ of the future',
    plant: 'UPDATE message SET modseq = 1000000 WHERE account = 1 AND mailbox = 1 AND uid = 2',
    ...{ kind: 'modseq', where: [bob, 'INBOX', null], quick: true },
  },
  {
    what: 'an account that is charged for too much',
    plant: 'UPDATE account_state SET used_octets = used_octets + 1 WHERE account = 2',
    ...{ kind: 'account-usage', where: [alice, null, null], quick: true },
  },
  {
    what: 'a queue row without recipients',
    plant: 'DELETE FROM queue_recipient WHERE account = 1 AND queue = 1',
    ...{ kind: 'queue-recipient', where: [bob, null, null], quick: true },
  },
  {
    what: 'a queue row without its body',
    plant: 'DELETE FROM blob WHERE blob = (SELECT blob FROM queue WHERE account = 2)',
    ...{ kind: 'queue-body', where: [alice, null, null], quick: true },
  },
  {
    what: 'a structure that was cut',
    plant: 'UPDATE email SET structure = substr(structure, 1, 10) WHERE email = 1',
    ...{ kind: 'email-structure', where: [bob, 'INBOX', 1], quick: true },
  },
  {
    what: 'an envelope that was cut',
    plant: 'UPDATE email SET envelope = substr(envelope, 1, 20) WHERE email = 1',
    ...{ kind: 'email-envelope', where: [bob, 'INBOX', 1], quick: true },
  },
  {
    what: 'a prefix that was cut',
    plant: 'UPDATE email SET prefix = substr(prefix, 1, 20) WHERE email = 1',
    ...{ kind: 'message-octets', where: [bob, 'INBOX', 1], quick: true },
  },
  {
    what: 'a place that was lost',
    plant: "UPDATE email SET places = '99:99' WHERE email = 2",
    ...{ kind: 'email-places', where: [bob, 'INBOX', 2], quick: true },
  },
  {
    what: 'a body row that nobody owns',
    plant:
      "INSERT INTO blob VALUES (999, 1, 1, 0, 1, 1, 0, x'00', NULL); UPDATE counter SET value = 999 WHERE name = 'blob'",
    ...{ kind: 'body-unowned', where: [bob, null, null], quick: true },
  },
  {
    what: 'a counter that is behind',
    plant: "UPDATE counter SET value = 3 WHERE name = 'email'",
    ...{ kind: 'counter', text: /email is at 3/, quick: true },
  },
  {
    what: 'an alias that cannot be read',
    plant: "UPDATE address SET targets = '[' WHERE address = 'all@hamburger.example'",
    ...{ kind: 'address', text: /all@hamburger.example/, quick: true },
  },
  {
    what: 'an index of the tables that lacks a row',
    plant: `PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = replace(sql, 'WHERE file IS NOT NULL', 'WHERE file IS NULL')
      WHERE name = 'blob_file'`,
    ...{ kind: 'tables', quick: false },
  },
]

test('a store that is sound is found sound', async () => {
  for (const quick of [false, true]) {
    const report = await verify(whole, quick)
    assert.deepEqual([report.problems, report.counts, report.notes], [[], {}, []])
    assert.deepEqual([report.accounts, report.messages], [2, 23])
    assert.equal(report.octets > 0, !quick)
  }
})

for (const { what, plant, kind, where, text, quick } of corruptions) {
  test(`verify finds ${what}`, async (t) => {
    const folder = join(testFolder(t), 'data')
    cpSync(whole, folder, { recursive: true })
    if (typeof plant === 'string') alter(folder, plant)
    else plant(folder)
    for (const fast of quick ? [false, true] : [false]) {
      const { problems, counts } = await verify(folder, fast)
      const found = problems.filter((problem) => problem.kind === kind)
      assert.ok(found.length > 0 && counts[kind] === found.length, JSON.stringify(problems))
      if (text !== undefined)
        assert.ok(
          found.some((problem) => text.test(problem.text)),
          JSON.stringify(found),
        )
      if (where === undefined) continue
      const named = found.map(({ account, mailbox, uid }) => JSON.stringify([account, mailbox, uid]))
      assert.ok(named.includes(JSON.stringify(where)), named.join())
    }
  })
}

test('tables that are no tables are refused, and damaged pages are told', async (t) => {
  const folder = join(testFolder(t), 'data')
  cpSync(whole, folder, { recursive: true })
  const file = join(folder, 'shard-00/meta.db')
  const octets = readFileSync(file)
  octets.fill(0xff, 4_096 * 3, 4_096 * 4)
  writeFileSync(file, octets)
  const { counts } = await verify(folder)
  assert.ok(counts['tables']! > 0)
  writeFileSync(file, 'no tables')
  await assert.rejects(verify(folder), { name: 'BackupUnusable' })
  await assert.rejects(verify(join(folder, 'nowhere')), { name: 'BackupUnusable' })
})

test('a store is verified while it is open, and goes on', async (t) => {
  const folder = join(testFolder(t), 'data')
  cpSync(whole, folder, { recursive: true })
  const store = await opened(t, folder)
  const report = await verifyStore(store, folder, false, () => {})
  assert.deepEqual(report.problems, [])
})

test('a list of IMAP is told from what was cut', () => {
  for (const text of ['()', '("a" NIL)', '("a(" ("b\\"" NIL))', '((NIL)(NIL))']) assert.ok(isList(text), text)
  for (const text of ['', 'NIL', '(', '("a)', '())', '(") ', '("\r\n")', '("é")', '() ()'])
    assert.ok(!isList(text), text)
})
