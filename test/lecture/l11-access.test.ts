/** L11: POP3 authorises and downloads; IMAP keeps messages in folders on the server and works on them there. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedLetters } from '../../src/lab/seed-letters.ts'
import { doorsOf, openImap, openPop3, openStage, present, Talk } from './stage.ts'

const letters = seedLetters().map((octets) => octets.toString('latin1'))

test('L11 POP3: nothing before authorisation, then every letter can be downloaded', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3 } = doorsOf(lab.line, 'hamburger.edu')
  const stranger = await Talk.to(pop3)
  await stranger.until('+OK POP3 server ready\r\n')
  for (const command of ['stat', 'list', 'retr 1', 'dele 1']) {
    stranger.send(`${command}\r\n`)
    assert.match(await stranger.until('\r\n'), /^-ERR /, command)
  }
  stranger.send('user bob\r\npass thirsty\r\n')
  await stranger.until('+OK\r\n')
  assert.match(await stranger.until('\r\n'), /^-ERR /)
  stranger.hangUp()

  const session = await openPop3(pop3)
  assert.deepEqual(await session.lines('list'), ['1 498', '2 912'])
  assert.deepEqual([await session.retr(1), await session.retr(2)], letters)
  await session.quit()
})

test('L11 IMAP: folders on the server, in which letters are kept, moved, marked, searched and removed', async (t) => {
  const { lab } = await openStage(t, 'today')
  const client = await openImap(t, doorsOf(lab.line, 'hamburger.edu').imap)
  await client.mailboxCreate('Kitchen/Recipes')
  await client.mailboxOpen('INBOX')
  const moved = await client.messageMove('2', 'Kitchen/Recipes')
  assert.equal(moved && moved.uidMap!.size, 1)
  const copied = await client.messageCopy('1', 'Kitchen/Recipes')
  assert.equal(copied && copied.uidMap!.size, 1)
  assert.equal(present(client.mailbox).exists, 1)

  await client.mailboxOpen('Kitchen/Recipes')
  await client.messageFlagsAdd('1', ['\\Flagged', 'tasty'])
  assert.deepEqual(await client.search({ flagged: true, keyword: 'tasty' }), [1])
  assert.deepEqual(await client.search({ body: 'pickles' }), [2])
  assert.deepEqual(await client.search({ subject: 'six steps' }), [1])
  // Only a piece of a letter comes over, and the letter stays.
  const piece = await client.fetchOne('1', { source: { start: 0, maxLength: 30 }, size: true })
  assert.ok(piece)
  assert.equal(piece.source!.toString('latin1'), letters[1]!.slice(0, 30))
  assert.equal(piece.size, 912)
  await client.messageDelete('2')
  assert.equal(present(client.mailbox).exists, 1)
  await client.mailboxRename('Kitchen/Recipes', 'Cookbook')
  const names = (await client.list()).map(({ path }) => path)
  assert.ok(names.includes('Cookbook') && !names.includes('Kitchen/Recipes'), names.join(' '))
})

test('L11 POP3 and IMAP are two doors to one mailbox; POP3 shows INBOX and no other folder', async (t) => {
  const { lab } = await openStage(t, 'today')
  const { pop3, imap } = doorsOf(lab.line, 'hamburger.edu')
  const client = await openImap(t, imap)
  await client.mailboxOpen('INBOX')
  const fetched = await client.fetchAll('1:*', { source: true })
  assert.deepEqual(
    fetched.map(({ source }) => source!.toString('latin1')),
    letters,
  )
  await client.messageMove('2', 'Archive')
  const session = await openPop3(pop3)
  assert.deepEqual(await session.lines('list'), ['1 498'])
  await session.ask('dele 1')
  await session.quit()
  await client.noop()
  assert.equal(present(client.mailbox).exists, 0)
  const archive = await client.status('Archive', { messages: true })
  assert.equal(present(archive).messages, 1)
})
