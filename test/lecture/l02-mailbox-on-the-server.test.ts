/** L2: what is written, sent and received lies on the server, the same from every agent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLabProcess } from '../harness/lab.ts'
import { doorsOf, openImap, openPop3, says, saysJson, waitFor } from './stage.ts'

interface Listing {
  readonly messages: readonly { readonly subject: string }[]
}

test('L2 the command line, POP3 and IMAP see one INBOX, octet for octet', async (t) => {
  const { env, ready } = await startLabProcess(t)
  const { pop3: pop3Door, imap: imapDoor } = doorsOf(ready, 'hamburger.edu')
  await says(env, 'send', '--as', 'alice', '-t', 'bob@hamburger.edu', '-s', 'One for all', '-m', 'The same.')
  const client = await openImap(t, imapDoor)
  await client.mailboxOpen('INBOX')
  const source = await waitFor(async () => {
    await client.noop()
    const found = await client.fetchOne('3', { source: true, flags: true })
    return found && found.source !== undefined && found
  }, 'the letter by IMAP')
  const text = source.source!.toString('latin1')
  assert.deepEqual([...source.flags!].includes('\\Seen'), false)

  await says(env, 'ls', '--as', 'bob')
  assert.equal(await says(env, 'read', '1', '--raw', '--as', 'bob'), text)
  const pop3 = await openPop3(pop3Door)
  await pop3.ask('list 3', `+OK 3 ${text.length}`)
  assert.equal(await pop3.retr(3), text)
  await pop3.quit()

  // What one agent has read, another one knows.
  const seen = await client.fetchOne('3', { flags: true })
  assert.equal(seen && seen.flags!.has('\\Seen'), true)
  // What one agent removes, the others have no more.
  await says(env, 'rm', '1', '--as', 'bob')
  await waitFor(async () => {
    await client.noop()
    return client.mailbox && client.mailbox.exists === 2
  }, 'the news of the removal')
  const after = await openPop3(pop3Door)
  await after.ask('stat', '+OK 2 1410')
  await after.quit()
})

test('L2 INBOX, Drafts and Sent are on the server: what one agent writes there another one finds', async (t) => {
  const { env, ready } = await startLabProcess(t)
  const imapDoor = doorsOf(ready, 'crepes.fr').imap
  const openAlice = () => openImap(t, imapDoor, 'alice@crepes.fr', 'strawberry')
  const [desk, phone] = [await openAlice(), await openAlice()]
  const uses = new Map((await desk.list()).map(({ path, specialUse }) => [path, specialUse]))
  assert.equal(uses.get('INBOX'), '\\Inbox')
  assert.equal(uses.get('Drafts'), '\\Drafts')
  assert.equal(uses.get('Sent'), '\\Sent')

  // Composed at the desk, edited on the phone, read on the command line.
  const draft = (text: string) => `From: alice@crepes.fr\r\nSubject: Recipe\r\n\r\n${text}\r\n`
  const first = await desk.append('Drafts', draft('Two eggs'), ['\\Draft', '\\Seen'])
  await phone.mailboxOpen('Drafts')
  assert.ok(first)
  const begun = await phone.fetchOne('1', { source: true, flags: true })
  assert.ok(begun && begun.flags!.has('\\Draft'))
  assert.equal(begun.source!.toString('latin1'), draft('Two eggs'))
  await phone.append('Drafts', draft('Three eggs'), ['\\Draft', '\\Seen'])
  await phone.messageDelete('1')
  const listed = await saysJson<Listing>(env, 'ls', 'Drafts', '--as', 'alice')
  assert.deepEqual(
    listed.messages.map(({ subject }) => subject),
    ['Recipe'],
  )
  assert.match(await says(env, 'read', '1', '--as', 'alice'), /\n\nThree eggs\n/)

  // Sent on the command line, with a blind copy that only the sender's own copy tells of; found on the phone.
  await says(
    env,
    ...['send', '--as', 'alice', '--to', 'bob@hamburger.edu', '--bcc', 'alice@crepes.fr'],
    ...['-s', 'Kept', '-m', 'One copy stays here.'],
  )
  await phone.mailboxOpen('Sent')
  const kept = await phone.fetchOne('1', { source: true, flags: true, envelope: true })
  assert.ok(kept, 'no copy in Sent')
  assert.equal(kept.envelope!.subject, 'Kept')
  assert.equal(kept.flags!.has('\\Seen'), true)
  assert.match(kept.source!.toString('latin1'), /^Bcc: alice@crepes\.fr\r$/m)
  await phone.mailboxOpen('INBOX')
  const copy = await waitFor(async () => {
    await phone.noop()
    if (!phone.mailbox || phone.mailbox.exists === 0) return null
    return phone.fetchOne('1', { source: true, envelope: true })
  }, 'the blind copy')
  assert.equal(copy.envelope!.messageId, kept.envelope!.messageId)
  assert.doesNotMatch(copy.source!.toString('latin1'), /^Bcc:/im)
})
