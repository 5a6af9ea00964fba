import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountUnknown, LimitReached, StoreUnavailable } from '../../src/store/errors.ts'
import type { Change } from '../../src/store/changes.ts'
import type { MailboxIndex } from '../../src/store/mailbox-index.ts'
import { eventually } from './contract-accounts.ts'
import type { Begin } from './contract.ts'
import { acceptOne, filing, itemOf, letter, put, putMany } from './letters.ts'

export const uidsOf = (index: MailboxIndex): number[] => [...index.uids.subarray(0, index.length)]

export function messageContract(name: string, begin: Begin): void {
  test(`${name}: a letter that is accepted is in INBOX with all that FETCH asks for`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    const text = letter('hello', 'Message-ID: <1@crepes.example>\r\n')
    const prefix = 'Return-Path: <alice@crepes.example>\r\n'
    const more = { prefix, flags: 4, keywords: ['$Work'], internalDate: 1_234, journeyId: 'j' }
    const filed = await put(store, bob.accountId, more, text)
    assert.equal(filed.uid, 1)
    for (const open of [async () => store, reopen]) {
      const opened = await open()
      const index = await opened.loadIndex(bob.accountId, 1)
      assert.deepEqual(uidsOf(index), [1])
      assert.deepEqual(
        [index.flags[0], index.keywords[0], index.modseqs[0], index.sizes[0], index.internalDates[0]],
        [4, 1, filed.modseq, prefix.length + text.length, 1_234],
      )
      assert.deepEqual(
        [index.keywordNames, index.uidNext, index.highestModseq, index.uidValidity],
        [['$Work'], 2, filed.modseq, filed.uidValidity],
      )
      const [email] = await opened.getEmails(bob.accountId, [filed.emailId])
      assert.deepEqual(
        [email!.prefix, email!.octets, email!.journeyId, email!.emailId],
        [prefix, prefix.length + text.length, 'j', filed.emailId],
      )
      assert.match(email!.envelope, /^\(NIL "hello" /)
      assert.match(email!.bodyStructure, /^\("text" "plain"/i)
      assert.equal(Buffer.from(await opened.readBody(email!.body, 0, 10_000)).toString(), text)
      index.release()
    }
  })

  test(`${name}: one item is filed for several accounts, and twice for one`, async (t) => {
    const { store, bob, alice } = await begin(t)
    const filings = [
      filing(bob.accountId, { prefix: 'A: b\r\n' }),
      filing(alice.accountId),
      filing(bob.accountId, { prefix: 'A: b\r\n', mailboxId: 3 }),
    ]
    const { filed } = await acceptOne(store, await itemOf(store, letter('x'), filings))
    assert.deepEqual(
      filed.map(({ accountId, mailboxId, uid }) => [accountId, mailboxId, uid]),
      [
        [bob.accountId, 1, 1],
        [alice.accountId, 1, 1],
        [bob.accountId, 3, 1],
      ],
    )
    assert.equal(filed[0]!.emailId, filed[2]!.emailId, 'the same text in two mailboxes is one email')
    assert.deepEqual(await store.getEmails(alice.accountId, [filed[0]!.emailId]), [null], "not another one's")
    const mine = (await store.getEmails(bob.accountId, [filed[0]!.emailId]))[0]!
    await assert.rejects(store.readBody({ ...mine.body, accountId: alice.accountId }, 0, 10))
  })

  test(`${name}: an item that fails changes nothing, and others of the same call succeed`, async (t) => {
    const { store, bob } = await begin(t)
    const good = await itemOf(store, letter('good'), [filing(bob.accountId)])
    const bad = await itemOf(store, letter('bad'), [filing(bob.accountId), filing(999)])
    const [first, second, third] = await store.accept([good, bad, good])
    assert.ok(!(first instanceof Error) && !(third instanceof Error))
    assert.ok(second instanceof AccountUnknown)
    const index = await store.loadIndex(bob.accountId, 1)
    assert.equal(index.length, 2)
    assert.equal((await store.getAccount(bob.accountId))!.usedMessages, 2)
    index.release()
  })

  test(`${name}: a letter with every octet, and odd fields, comes back as it was`, async (t) => {
    const { store, bob } = await begin(t)
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
    const text = `Subject: ${every.replace(/[\r\n]/g, '')}\r\n\r\n${every}\r\n`
    const prefix = `X-Odd: ${every.replace(/[\r\n]/g, '')}\r\n`
    const filed = await put(store, bob.accountId, { prefix }, text)
    const [email] = await store.getEmails(bob.accountId, [filed.emailId])
    assert.equal(email!.prefix, prefix)
    assert.equal(email!.octets, prefix.length + text.length)
    assert.equal(Buffer.from(await store.readBody(email!.body, 0, 1_000)).toString('latin1'), text)
    const long = await itemOf(store, text, [filing(bob.accountId, { prefix: 'x'.repeat(16_385) })])
    assert.ok((await store.accept([long]))[0] instanceof LimitReached)
  })

  test(`${name}: calls on a closed store are refused, those before it are done`, async (t) => {
    const { store, bob, reopen } = await begin(t)
    const item = await itemOf(store, letter('last'), [filing(bob.accountId)])
    const accepting = store.accept([item])
    const closing = store.close()
    assert.ok((await store.accept([item]))[0] instanceof StoreUnavailable)
    await closing
    assert.ok(!((await accepting)[0] instanceof Error))
    const again = await reopen()
    assert.equal((await again.findMailbox(bob.accountId, 'INBOX'))!.total, 1)
  })

  test(`${name}: fields above the body are part of the envelope`, async (t) => {
    const { store, bob } = await begin(t)
    const prefix = 'Received: x\r\nDate: Mon, 1 Jan 2026 10:00:00 +0000\r\nMessage-ID: <p@x.example>\r\n'
    const filed = await put(store, bob.accountId, { prefix })
    const [email] = await store.getEmails(bob.accountId, [filed.emailId])
    assert.match(email!.envelope, /^\("Mon, 1 Jan 2026 10:00:00 \+0000" "hello" .*"<p@x.example>"\)$/)
  })

  test(`${name}: of emails with much to tell a call gives some, and the rest when it is asked for`, async (t) => {
    const { store, bob } = await begin(t)
    const addresses = Array.from({ length: 1_500 }, (_, n) => `${'x'.repeat(40)}${n}@crepes.example`)
    const wide = letter('wide', `Cc: ${addresses.join(',\r\n ')}\r\n`)
    const asked: number[] = []
    for (let n = 0; n < 40; n++) asked.push((await put(store, bob.accountId, {}, wide)).emailId)
    const pages: number[] = []
    for (let got = 0; got < asked.length; got += pages.at(-1)!) {
      const emails = await store.getEmails(bob.accountId, asked.slice(got))
      assert.deepEqual(
        emails.map((email) => email!.emailId),
        asked.slice(got, got + emails.length),
      )
      pages.push(emails.length)
    }
    assert.ok(pages.length > 1 && !pages.includes(0), pages.join())
    // Others are given as before.
    const short = await putMany(store, bob.accountId, 200)
    const ids = short.map(({ emailId }) => emailId)
    assert.equal((await store.getEmails(bob.accountId, ids)).length, 200)
  })

  test(`${name}: copied messages are the same emails with new UIDs`, async (t) => {
    const { store, bob } = await begin(t)
    const filed = await putMany(store, bob.accountId, 3)
    const trash = (await store.findMailbox(bob.accountId, 'Trash'))!
    const copied = await store.copy(bob.accountId, 1, [3, 1, 99], trash.mailboxId)
    assert.deepEqual(copied, { uidValidity: trash.uidValidity, sourceUids: [1, 3], targetUids: [1, 2] })
    const index = await store.loadIndex(bob.accountId, trash.mailboxId)
    const emails = new Map(filed.map(({ uid, emailId }) => [uid, emailId]))
    assert.deepEqual([...index.emailIds.subarray(0, 2)], [emails.get(1), emails.get(3)])
    assert.equal((await store.getAccount(bob.accountId))!.usedMessages, 5)
    index.release()
  })

  test(`${name}: moved messages are in one mailbox at any time, with flags and keywords`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 3)
    const trash = (await store.findMailbox(bob.accountId, 'Trash'))!
    await put(store, bob.accountId, { mailboxId: trash.mailboxId, keywords: ['first'] })
    await store.storeFlags(bob.accountId, 1, [2], { op: 'set', flags: 5, keywords: ['a', 'b'] })
    const inbox = await store.loadIndex(bob.accountId, 1)
    const target = await store.loadIndex(bob.accountId, trash.mailboxId)
    const changes: Change[] = []
    store.subscribe(bob.accountId, (change) => {
      assert.equal(inbox.length + target.length >= 4, true)
      changes.push(change)
    })
    const moved = await store.move(bob.accountId, 1, [2, 3], trash.mailboxId)
    assert.deepEqual(moved, { uidValidity: trash.uidValidity, sourceUids: [2, 3], targetUids: [2, 3] })
    assert.deepEqual([uidsOf(inbox), uidsOf(target)], [[1], [1, 2, 3]])
    assert.deepEqual(target.keywordNames, ['first', 'a', 'b'])
    assert.deepEqual([...target.keywords.subarray(0, 3)], [1, 6, 0])
    assert.equal(target.flags[1], 5)
    assert.deepEqual(
      changes.map(({ kind, mailboxId }) => [kind, mailboxId]),
      [
        ['added', trash.mailboxId],
        ['expunged', 1],
      ],
    )
    const mailbox = (await store.findMailbox(bob.accountId, 'Trash'))!
    assert.deepEqual([mailbox.total, mailbox.unseen], [3, 2])
    const account = (await store.getAccount(bob.accountId))!
    assert.equal(account.usedMessages, 4)
    inbox.release()
    target.release()
  })

  test(`${name}: an expunged UID is never given out again`, async (t) => {
    const { store, clock, bob, reopen } = await begin(t, { undeleteMs: 1 })
    const filed = await putMany(store, bob.accountId, 3)
    assert.deepEqual(await store.expunge(bob.accountId, 1, [2, 3, 7]), [2, 3])
    assert.deepEqual(await store.expunge(bob.accountId, 1, [2]), [])
    const again = await reopen()
    assert.equal((await put(again, bob.accountId)).uid, 4)
    const inbox = (await again.findMailbox(bob.accountId, 'INBOX'))!
    assert.deepEqual([inbox.total, inbox.unseen, inbox.uidNext], [2, 2, 5])
    const account = (await again.getAccount(bob.accountId))!
    assert.equal(account.usedOctets, inbox.octets)
    // For some minutes sessions that have not been told can still read it.
    const gone = filed.find(({ uid }) => uid === 3)!
    assert.notEqual((await again.getEmails(bob.accountId, [gone.emailId]))[0], null)
    clock.advance(20 * 60_000)
    await eventually(async () => (await again.getEmails(bob.accountId, [gone.emailId]))[0] === null)
  })

  test(`${name}: a copy outlives the message it was made of`, async (t) => {
    const { store, clock, bob } = await begin(t, { undeleteMs: 1 })
    const filed = await put(store, bob.accountId)
    const trash = (await store.findMailbox(bob.accountId, 'Trash'))!
    await store.copy(bob.accountId, 1, [1], trash.mailboxId)
    await store.expunge(bob.accountId, 1, [1])
    const other = await put(store, bob.accountId)
    await store.expunge(bob.accountId, 1, [2])
    clock.advance(20 * 60_000)
    await eventually(async () => (await store.getEmails(bob.accountId, [other.emailId]))[0] === null)
    const [email] = await store.getEmails(bob.accountId, [filed.emailId])
    assert.equal((await store.readBody(email!.body, 0, 10)).length, 10)
  })

  test(`${name}: an index is up to date before anybody is told, and shared`, async (t) => {
    const { store, bob } = await begin(t)
    const index = await store.loadIndex(bob.accountId, 1)
    const other = await store.loadIndex(bob.accountId, 1)
    const seen: number[] = []
    const end = store.subscribe(bob.accountId, () => seen.push(index.length))
    await put(store, bob.accountId)
    await store.expunge(bob.accountId, 1, [1])
    assert.deepEqual(seen, [1, 0])
    end()
    await putMany(store, bob.accountId, 200)
    assert.deepEqual(seen, [1, 0])
    assert.equal(other.length, 200)
    assert.equal(index.rowOf(100), 98)
    assert.equal(index.rowOf(1), -1)
    index.release()
    index.release()
    await put(store, bob.accountId)
    assert.equal(other.length, 201, 'releasing twice does not release for others')
    other.release()
  })

  test(`${name}: an index that loads while mail arrives misses none of it`, async (t) => {
    const { store, bob } = await begin(t)
    await putMany(store, bob.accountId, 3_000)
    const arriving = Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await put(store, bob.accountId)
        await store.expunge(bob.accountId, 1, [i * 100 + 1, 3_001 + i * 2])
      }),
    )
    const index = await store.loadIndex(bob.accountId, 1)
    await arriving
    const fresh = await store.changesSince(bob.accountId, 1, 0, 10_000)
    assert.deepEqual(
      uidsOf(index),
      fresh.changed.map(({ uid }) => uid).sort((a, b) => a - b),
    )
    const inbox = (await store.findMailbox(bob.accountId, 'INBOX'))!
    assert.equal(index.length, inbox.total)
    index.release()
  })
}
