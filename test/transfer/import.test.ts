/** Imports through the admin API on a real store. */
import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ImportJournal } from '../../src/transfer/import-journal.ts'
import { openSource } from '../../src/transfer/open-source.ts'
import type { TransferDoor } from '../../src/transfer/run-import.ts'
import { undoImport } from '../../src/transfer/undo-import.ts'
import type { OpenedImport } from '../../src/transfer/wire.ts'
import { importFrom, type Mail, readAll, setUpTransfer } from './fixture.ts'

const from = 'From ada@client.example Thu Nov  6 10:11:12 2025'
const moment = Date.UTC(2025, 10, 6, 10, 11, 12)
const standard = ['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash']

function write(file: string, text: string, dateMs?: number): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, 'latin1')
  if (dateMs !== undefined) utimesSync(file, dateMs / 1_000, dateMs / 1_000)
}

/** Mailboxes that hold something or are not made with the account. */
function notable(mail: Mail): Record<string, string[]> {
  const kept = Object.entries(mail).filter(
    ([name, messages]) => messages.length > 0 || !standard.includes(name),
  )
  return Object.fromEntries(
    kept.map(([name, messages]) => [
      name,
      messages.map(({ text, flags, keywords }) => [/X: (\w+)/.exec(text)?.[1], flags, ...keywords].join(' ')),
    ]),
  )
}

const one = (name: string, fields = '') => `${from}\nX: ${name}\n${fields}\ntext\n\n`

test('a tree of mboxes as Thunderbird keeps it', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const root = join(folder, 'Mail')
  write(
    join(root, 'INBOX'),
    one('a', 'X-Mozilla-Status: 0001\nX-Mozilla-Keys: $label1\n') + one('gone', 'X-Mozilla-Status: 0009\n'),
  )
  write(join(root, 'INBOX.msf'), '// <!-- <mdb:mork:z v="1.4"/> -->')
  write(join(root, 'Work'), one('b'))
  write(join(root, 'Work.sbd', '2024'), one('c') + one('d', 'X-Mozilla-Status: 1004\n'))
  write(join(root, 'Empty.mbox'), '')
  write(join(root, 'Apple.mbox', 'mbox'), one('e'))
  write(join(root, 'notes.txt'), 'From time to time')
  const { filed, skipped } = await importFrom(door, address, root)
  assert.equal(filed, 5)
  assert.deepEqual(
    skipped.map(({ reason, harmless }) => [reason, harmless]),
    [['deleted in Thunderbird, not compacted', true]],
  )
  assert.deepEqual(notable(await readAll(store, accountId)), {
    Apple: ['e 0'],
    Empty: [],
    INBOX: ['a 1 $label1'],
    Work: ['b 0'],
    'Work/2024': ['c 0', 'd 4 $Forwarded'],
  })
})

test('a Maildir++ with keywords, and a folder of Maildirs', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const root = join(folder, 'Maildir')
  write(join(root, 'cur', '1700000002.b.host,S=9:2,FSab'), 'X: b\n\n', moment)
  write(join(root, 'cur', '1700000001.a.host:2,PRT'), 'X: a\r\n\r\n', moment + 5_000)
  write(join(root, 'new', '1700000003.c.host'), 'X: c', moment)
  write(join(root, 'tmp', '1700000004.d.host'), 'X: half')
  write(join(root, 'dovecot-keywords'), '0 work\n1 $Label1\n')
  write(join(root, 'dovecot-uidlist'), '3 V1 N4\n')
  write(join(root, '.Entw&APw-rfe.alt', 'cur', '1.x:2,D'), 'X: draft\n')
  mkdirSync(join(root, '.Sent', 'cur'), { recursive: true })
  write(join(root, '.notmail', 'file'), 'x')
  const { accountId, address } = await newAccount()
  await importFrom(door, address, root)
  const mail = await readAll(store, accountId)
  const wanted = {
    Entwürfe: [],
    'Entwürfe/alt': ['draft 16'],
    INBOX: ['a 10 $Forwarded', 'b 5 $Label1 work', 'c 0'],
  }
  assert.deepEqual(notable(mail), wanted)
  assert.deepEqual(
    mail['INBOX']!.map(({ text, date }) => [text, date]),
    [
      ['X: a\r\n\r\n', moment + 5_000],
      ['X: b\r\n\r\n', moment],
      ['X: c', moment],
    ],
  )

  const tree = join(folder, 'tree')
  write(join(tree, 'Inbox', 'cur', '1.x:2,S'), 'X: a\n')
  write(join(tree, 'Work', '2024', 'cur', '1.x:2,S'), 'X: b\n')
  const other = await newAccount()
  await importFrom(door, other.address, tree)
  assert.deepEqual(notable(await readAll(store, other.accountId)), {
    INBOX: ['a 1'],
    Work: [],
    'Work/2024': ['b 1'],
  })
})

test('a tree of .eml files, dated by their Date field or else by the file', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const root = join(folder, 'eml')
  write(join(root, '10.eml'), 'X: b\nDate: Thu, 06 Nov 2025 11:11:12 +0100\n\nx', 1_000_000)
  write(join(root, '9.eml'), 'X: a\n\nx', moment + 700)
  write(join(root, 'Work', 'Äpfel', 'x.EML'), 'X: c\nDate: Thu, 06 Nov 2099 11:11:12 +0100\n\nx', moment)
  write(join(root, 'Work', 'readme.txt'), 'no mail')
  const { accountId, address } = await newAccount()
  await importFrom(door, address, root, { into: 'Old' })
  const mail = await readAll(store, accountId)
  assert.deepEqual(notable(mail), { Old: ['a 0', 'b 0'], 'Old/Work': [], 'Old/Work/Äpfel': ['c 0'] })
  assert.deepEqual(
    mail['Old']!.map(({ date }) => date),
    [moment + 700, moment],
  )
  assert.deepEqual(
    mail['Old/Work/Äpfel']!.map(({ date }) => date),
    [moment],
  )
})

test('what is not mail is refused with what to do', async (t) => {
  const { folder } = await setUpTransfer(t)
  write(join(folder, 'x', 'a.txt'), 'nothing')
  write(join(folder, 'y', 'a.eml'), 'A: b')
  write(join(folder, 'y', 'b'), one('b'))
  await assert.rejects(openSource(join(folder, 'none'), 'auto'), /Cannot read .*none/)
  await assert.rejects(openSource(join(folder, 'x'), 'auto'), /There is no mail/)
  await assert.rejects(openSource(join(folder, 'x'), 'maildir'), /There is no Maildir/)
  await assert.rejects(openSource(join(folder, 'x', 'a.txt'), 'mbox'), /does not begin as an mbox/)
  await assert.rejects(openSource(join(folder, 'x', 'a.txt'), 'maildir'), /no Maildir/)
  await assert.rejects(openSource(join(folder, 'y'), 'auto'), /mboxes and \.eml files/)
  assert.equal((await openSource(join(folder, 'y'), 'eml')).format, 'eml')
})

test('large messages go in pieces; those over the limit, empty or unreadable are listed and harm no other', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t, { submissionOctets: 3_000_000 })
  const { accountId, address } = await newAccount()
  const body = (octets: number) => `${'x'.repeat(998)}\n`.repeat(Math.ceil(octets / 1_000))
  const file = join(folder, 'in.mbox')
  const big = `${from}\nX: big\n\n${body(2_000_000)}\n`
  const tooBig = `${from}\nX: toobig\n\n${body(4_000_000)}\n`
  write(file, `junk\n\n${one('a')}${big}${tooBig}${from}\n\n${one('b')}`)
  const { filed, skipped } = await importFrom(door, address, file)
  assert.equal(filed, 3)
  const offset = 6 + one('a').length + big.length
  assert.deepEqual(
    skipped.map(({ place, reason }) => [Number(/\d+$/.exec(place)?.[0]), reason.replace(/\d{4,}/g, 'N')]),
    [
      [0, 'no “From ” line begins a message here'],
      [offset, 'its N octets are over the limit of N'],
      [offset + tooBig.length, 'it is empty'],
    ],
  )
  const { in: mail } = await readAll(store, accountId)
  assert.deepEqual(
    mail!.map(({ text }) => text.length),
    [14, 10 + 2_000 * 1_000, 14],
  )
  // Given again, nothing is imported again, and what was skipped is not forgotten.
  assert.equal((await importFrom(door, address, file)).filed, 0)
  const journal = await ImportJournal.open(`${file}.journal`)
  assert.equal(journal.skipped.length, 3)

  const maildir = join(folder, 'Maildir')
  for (const name of ['1.a', '2.b', '3.c']) write(join(maildir, 'cur', `${name}:2,`), `X: ${name[2]}\n`)
  chmodSync(join(maildir, 'cur', '2.b:2,'), 0)
  const again = await importFrom(door, address, maildir)
  // Root reads everything.
  assert.equal(again.filed + again.skipped.length, 3)
})

test('a Maildir file that is renamed while it is imported is found again', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const cur = join(folder, 'Maildir', 'cur')
  write(join(cur, '1.a:2,'), 'X: a\n')
  const renaming: TransferDoor = {
    async call(method, path, body) {
      if (path.endsWith('/mailboxes')) renameSync(join(cur, '1.a:2,'), join(cur, '1.a:2,S'))
      return door.call(method, path, body)
    },
  }
  // The folder is listed before its mailbox is made.
  const source = await openSource(join(folder, 'Maildir'), 'auto')
  assert.equal(source.total.count, 1)
  assert.equal((await importFrom(renaming, address, join(folder, 'Maildir'))).filed, 1)
  assert.deepEqual(Object.values(notable(await readAll(store, accountId))).flat().length, 1)
})

/** Ends like a process that was killed: before a request is sent, or after it was carried out. */
function dying(door: TransferDoor, diesAt: number, when: 'before' | 'after'): TransferDoor {
  let calls = 0
  let dead = false
  return {
    async call(method, path, body) {
      if (dead) throw new Error('killed')
      const isLast = path.endsWith('/messages') && ++calls === diesAt
      if (isLast && when === 'before') dead = true
      if (dead) throw new Error('killed')
      const answer = await door.call(method, path, body)
      if (isLast) dead = true
      if (dead) throw new Error('killed')
      return answer as never
    },
  }
}

test('whenever it dies, the next run imports the rest and nothing twice', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const names = Array.from({ length: 1_500 }, (_, i) => `m${i}`)
  const file = join(folder, 'in.mbox')
  // Equal messages are several messages.
  write(file, names.map((name, i) => one(i % 7 === 0 ? 'same' : name)).join(''))
  const maildir = join(folder, 'Maildir')
  for (const [i, name] of names.entries()) write(join(maildir, 'cur', `${i}.x:2,S`), `X: ${name}\n\n`)
  for (const source of [file, maildir]) {
    const { accountId, address } = await newAccount()
    const journalFile = `${source}.journal`
    for (const [diesAt, when] of [
      [1, 'before'],
      [1, 'after'],
      [2, 'after'],
      [1, 'after'],
      [2, 'before'],
    ] as const) {
      await assert.rejects(importFrom(dying(door, diesAt, when), address, source, { journalFile }), /killed/)
    }
    await importFrom(door, address, source, { journalFile })
    const mail = Object.values(notable(await readAll(store, accountId))).flat()
    const wanted = names.map((name, i) =>
      source === file ? `${i % 7 === 0 ? 'same' : name} 0` : `${name} 1`,
    )
    assert.deepEqual(mail, wanted)
    assert.equal((await importFrom(door, address, source, { journalFile })).filed, 0)
  }
})

test('a journal that a crash cut at any octet leads to the same mail', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const file = join(folder, 'in.mbox')
  write(file, one('a') + one('b') + one('a'))
  const journalFile = join(folder, 'journal')
  await importFrom(door, address, file, { journalFile })
  const { readFileSync } = await import('node:fs')
  const whole = readFileSync(journalFile)
  const begun = whole.indexOf('{"begin"')
  const beginEnds = whole.indexOf('\n', begun) + 1
  // Before the batch was sent its begin was on the disk: only what comes after can be lost.
  for (let length = beginEnds; length <= whole.length; length += 7) {
    writeFileSync(journalFile, whole.subarray(0, length))
    assert.equal((await importFrom(door, address, file, { journalFile })).filed, 0, `${length} octets`)
  }
  assert.equal((await readAll(store, accountId))['in']!.length, 3)
})

test('an mbox that has grown goes on; one that was changed is refused', async (t) => {
  const { folder, door, newAccount } = await setUpTransfer(t)
  const { address } = await newAccount()
  const file = join(folder, 'in.mbox')
  write(file, one('a') + one('b'))
  assert.equal((await importFrom(door, address, file)).filed, 2)
  appendFileSync(file, one('c'))
  assert.equal((await importFrom(door, address, file)).filed, 1)
  write(file, one('b') + one('c') + one('d') + one('e'))
  await assert.rejects(importFrom(door, address, file), /was changed since its first 3 messages/)
})

test('who begins an import anew ends the one under way', async (t) => {
  const { door, newAccount } = await setUpTransfer(t)
  const { address } = await newAccount()
  const open = () => door.call<OpenedImport>('POST', '/v1/imports', { address, source: 'x' })
  const first = await open()
  const second = await open()
  const ask = (id: string) => door.call('POST', `/v1/imports/${id}/mailboxes`, { name: 'Work' })
  await assert.rejects(ask(first.importId), /There is no such import/)
  await ask(second.importId)
})

test('an import is taken back: its messages and mailboxes go, others stay', async (t) => {
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const root = join(folder, 'Mail')
  write(join(root, 'INBOX'), one('a') + one('b'))
  write(join(root, 'Work', '2024'), one('c'))
  await importFrom(door, address, join(root, 'INBOX'), { journalFile: join(folder, 'other') })
  const { opened } = await importFrom(door, address, root)
  const inbox = (await store.findMailbox(accountId, 'INBOX'))!
  const trash = (await store.findMailbox(accountId, 'Trash'))!
  await store.move(accountId, inbox.mailboxId, [3], trash.mailboxId)
  const journal = await ImportJournal.open(`${root}.journal`)
  await journal.start({ posthorn: 'import', version: 1, address, source: root, into: null })
  const undone = await undoImport(door, opened, journal)
  assert.deepEqual(undone, { removed: 2, filed: 3, mailboxes: ['Work/2024', 'Work'] })
  assert.deepEqual(notable(await readAll(store, accountId)), { INBOX: ['a 0', 'b 0'], Trash: ['a 0'] })
})

test('each imported message has a journey that says where it came from', async (t) => {
  const { folder, store, door, newAccount, journeys } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const file = join(folder, 'in.mbox')
  write(file, one('a', 'Message-ID: <1@client.example>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n'))
  await importFrom(door, address, file)
  const [journey] = journeys
  assert.deepEqual(journey?.facts, {
    direction: 'local',
    state: 'delivered',
    messageId: '<1@client.example>',
    subject: 'Grüße',
    recipients: [address],
    accountIds: [accountId],
  })
  const [event] = journey!.events
  assert.deepEqual(
    [event?.stage, event?.kind, event?.data['place']],
    ['filed', 'import', `${file}, offset 0`],
  )
  const index = await store.loadIndex(accountId, (await store.findMailbox(accountId, 'in'))!.mailboxId)
  const [email] = await store.getEmails(accountId, [index.emailIds[0]!])
  index.release()
  assert.equal(email?.journeyId, journey?.journeyId)
})

test('batches that cannot be read are refused, and file nothing', async (t) => {
  const { store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  const { importId } = await door.call<OpenedImport>('POST', '/v1/imports', { address, source: 'x' })
  const path = `/v1/imports/${importId}/messages`
  const message = { octets: 5, flags: 0, keywords: [], internalDate: 0, place: 'x' }
  const head = { sequence: 1, mailboxId: 1, staged: false, messages: [message] }
  for (const body of [
    '',
    'nonsense\n',
    'null\n',
    `${JSON.stringify({ ...head, messages: [] })}\n`,
    `${JSON.stringify({ ...head, messages: [{ ...message, octets: -1 }] })}\nabcde`,
    `${JSON.stringify({ ...head, messages: [{ ...message, keywords: [7] }] })}\nabcde`,
    `${JSON.stringify(head)}\nabcd`,
    `${JSON.stringify({ ...head, sequence: 2, staged: true })}\n`,
  ]) {
    await assert.rejects(door.call('POST', path, body), /batch|pieces/i, body)
  }
  await assert.rejects(
    door.call('POST', '/v1/imports', { address: 'nobody@hamburger.edu', source: 'x' }),
    /no account/,
  )
  assert.deepEqual(notable(await readAll(store, accountId)), {})
})
