/** L13: POP3 "download and delete" and "download and keep"; what IMAP remembers and POP3 does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedLetters } from '../../src/lab/seed-letters.ts'
import { doorsOf, openImap, openPop3, openStage, present, Talk, waitFor } from './stage.ts'

const letters = seedLetters().map((octets) => octets.toString('latin1'))

test('L13 download and delete: Bob cannot read again from another client', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  const home = await openPop3(pop3)
  assert.deepEqual([await home.retr(1), await home.retr(2)], letters)
  await home.ask('dele 1')
  await home.ask('dele 2')
  await home.quit()

  const office = await openPop3(pop3)
  assert.deepEqual(await office.lines('list'), [])
  assert.match(await office.ask('retr 1', '-ERR'), /^-ERR /)
  await office.quit()
  const client = await openImap(t, imap)
  const inbox = await client.mailboxOpen('INBOX')
  assert.equal(inbox.exists, 0)
})

test('L13 a deletion counts only with QUIT: when the line breaks the letters are still there', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const home = await openPop3(pop3)
  await home.ask('dele 1')
  assert.deepEqual(await home.lines('list'), ['2 912'])
  home.talk.hangUp()
  const office = await waitFor(() => openPop3(pop3).catch(() => null), 'the mailbox to be free again')
  assert.deepEqual(await office.lines('list'), ['1 498', '2 912'])
  await office.quit()
})

test('L13 download and keep: both clients have copies, and POP3 keeps no state across sessions', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const visit = async () => {
    const session = await openPop3(pop3)
    const status = await session.ask('stat')
    const list = await session.lines('list')
    const ids = await session.lines('uidl')
    const copies = [await session.retr(1), await session.retr(2)]
    await session.quit()
    return { status, list, ids, copies }
  }
  const [home, office] = [await visit(), await visit()]
  assert.deepEqual(home.copies, letters)
  // Nothing tells the second client what the first has read: that is what unique-ids are for, RFC 1939 §7.
  assert.deepEqual(office, home)
  assert.equal(new Set(home.ids.map((line) => line.split(' ')[1])).size, 2)
})

test('L13 IMAP keeps folders and the state of messages across sessions, for every client', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { imap, pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const [home, office] = [await openImap(t, imap), await openImap(t, imap)]
  await home.mailboxOpen('INBOX')
  await office.mailboxOpen('INBOX')
  await home.mailboxCreate('Recipes')
  await home.messageFlagsAdd('1', ['\\Seen', '\\Answered', 'tasty'])
  const moved = await home.messageMove('2', 'Recipes')
  assert.ok(moved)
  // The other client is connected at the same time, and sees it.
  await office.noop()
  assert.equal(present(office.mailbox).exists, 1)
  const seen = await office.fetchOne('1', { flags: true, uid: true })
  assert.deepEqual(seen && [...seen.flags!].filter((flag) => flag !== '\\Recent').sort(), [
    '\\Answered',
    '\\Seen',
    'tasty',
  ])
  await office.messageFlagsRemove('1', ['\\Seen'])
  await Promise.all([home.logout(), office.logout()])

  // Both have gone home; what they did is there in the next session.
  const later = await openImap(t, imap)
  const inbox = await later.mailboxOpen('INBOX')
  assert.equal(inbox.exists, 1)
  const kept = await later.fetchOne('1', { flags: true, uid: true })
  assert.deepEqual(kept && [...kept.flags!].filter((flag) => flag !== '\\Recent').sort(), [
    '\\Answered',
    'tasty',
  ])
  assert.equal(present(kept).uid, present(seen).uid)
  const recipes = await later.mailboxOpen('Recipes')
  assert.equal(recipes.exists, 1)
  const letter = await later.fetchOne('1', { source: true, uid: true })
  assert.equal(letter && letter.source!.toString('latin1'), letters[1])
  assert.equal(present(letter).uid, moved.uidMap!.get(2))
  // POP3 knows of none of this: one letter, without any mark.
  const session = await openPop3(pop3)
  assert.deepEqual(await session.lines('list'), ['1 498'])
  assert.equal(await session.retr(1), letters[0])
  await session.quit()
})

test('L13 two POP3 clients at once: a maildrop is one client’s at a time, IMAP reads beside it', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  const first = await openPop3(pop3)
  const second = await Talk.to(pop3)
  second.send('user bob\r\npass hungry\r\n')
  await second.until('+OK\r\n')
  // RFC 1939 §4: the maildrop is locked; RFC 3206 tells why.
  assert.match(await second.until('\r\n'), /^-ERR \[IN-USE\] /)
  second.hangUp()
  const client = await openImap(t, imap)
  assert.equal((await client.mailboxOpen('INBOX')).exists, 2)
  await first.quit()
  const third = await openPop3(pop3)
  await third.quit()
})
