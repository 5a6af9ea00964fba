/** Other people's programs read and keep letters by IMAP. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { endpointOf, type LabProcess, runProgram, startLabProcess } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'

const imaplib = `
import imaplib, ssl, sys, time
host, port, ca = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
def open_box():
    box = imaplib.IMAP4(host, port)
    box.starttls(context)
    box.login('bob@hamburger.edu', 'hungry')
    return box
def ok(answer):
    assert answer[0] == 'OK', answer
    return answer[1]
box = open_box()
assert b'2' == ok(box.select('INBOX'))[0]
data = ok(box.fetch('1:*', '(UID RFC822.SIZE FLAGS ENVELOPE BODYSTRUCTURE)'))
assert b'RFC822.SIZE 498' in data[0] and b'RFC822.SIZE 912' in data[1], data
text = ok(box.fetch('1', '(RFC822)'))[0][1]
assert len(text) == 498
ok(box.create('Caf\\u00e9'.encode('utf-7').decode().replace('+', '&')))
ok(box.create('Kitchen/Recipes'))
ok(box.copy('1', 'Kitchen/Recipes'))
ok(box.append('Kitchen', '(\\\\Seen kitchen)', imaplib.Time2Internaldate(time.time()), b'Subject: kept\\r\\n\\r\\nbody\\r\\n'))
ok(box.store('2', '+FLAGS', '(\\\\Deleted \\\\Flagged)'))
assert ok(box.expunge()) == [b'2']
ok(box.select('Kitchen'))
assert ok(box.search(None, 'KEYWORD', 'kitchen', 'SEEN', 'SUBJECT', 'kept', 'BODY', 'ody'))[0] == b'1'
ok(box.rename('Kitchen', 'Cookery'))
box.close()
box.logout()
# L13: IMAP keeps folders and the state of messages across sessions.
box = open_box()
names = b' '.join(ok(box.list()))
assert b'Cookery/Recipes' in names and b'\\\\Trash' in names, names
ok(box.select('INBOX'))
assert b'\\\\Seen' in ok(box.fetch('1', '(FLAGS)'))[0]
assert ok(box.search(None, 'ALL'))[0] == b'1'
ok(box.select('Cookery'))
assert b'kitchen' in ok(box.fetch('1', '(FLAGS)'))[0]
box.logout()
`

test('L11 L13 imaplib keeps folders and states across sessions', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return
  const lab = await startLabProcess(t)
  const { address, port } = endpointOf(lab.hamburger.imap)
  const ran = await runProgram('python3', ['-c', imaplib, address, String(port), lab.ca])
  assert.equal(ran.code, 0, ran.stderr)
})

test('curl lists, searches, fetches and appends by IMAP', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { curl: 'curl' } }, t))) return
  const lab = await startLabProcess(t)
  for (const [scheme, door] of [
    ['imap', lab.hamburger.imap],
    ['imaps', lab.hamburger.imaps],
  ] as const) {
    const { address, port } = endpointOf(door)
    const url = `${scheme}://${lab.hamburger.hostname}:${port}`
    const curl = (...args: string[]) =>
      runProgram('curl', [
        '-sS',
        '--ssl-reqd',
        '--cacert',
        lab.ca,
        '--resolve',
        `${lab.hamburger.hostname}:${port}:${address}`,
        '--user',
        'bob@hamburger.edu:hungry',
        ...args,
      ])
    const listed = await curl(`${url}/`)
    assert.match(listed.stdout, /\* LIST \([^)]*\) "\/" "?INBOX"?/, listed.stderr)
    const letter = join(lab.folder, 'letter.eml')
    writeFileSync(letter, `From: a@b.example\r\nSubject: by ${scheme}\r\n\r\nHello\r\n`)
    const appended = await curl('--upload-file', letter, `${url}/INBOX`)
    assert.equal(appended.code, 0, appended.stderr)
    const found = await curl(`${url}/INBOX?SUBJECT%20%22by%20${scheme}%22`)
    const [, number] = /\* SEARCH (\d+)/.exec(found.stdout) ?? assert.fail(found.stdout + found.stderr)
    const fetched = await curl(`${url}/INBOX;MAILINDEX=${number}`)
    assert.equal(fetched.stdout, readFileSync(letter, 'latin1'), fetched.stderr)
  }
})

/** A Maildir and its mailbox, kept alike in both directions. */
async function mbsync(lab: LabProcess): Promise<{ sync(): Promise<void>; inbox: string }> {
  const { port } = endpointOf(lab.hamburger.imaps)
  const config = join(lab.folder, 'mbsyncrc')
  const mail = join(lab.folder, 'mail')
  mkdirSync(mail)
  writeFileSync(
    config,
    `IMAPAccount bob\nHost localhost\nPort ${port}\nUser bob@hamburger.edu\nPass hungry\nSSLType IMAPS\n` +
      `CertificateFile ${lab.ca}\n\nIMAPStore far\nAccount bob\n\nMaildirStore near\nPath ${mail}/\nInbox ${mail}/INBOX\n` +
      'SubFolders Verbatim\n\nChannel bob\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n',
  )
  chmodSync(config, 0o600)
  return {
    inbox: join(mail, 'INBOX'),
    async sync() {
      const ran = await runProgram('mbsync', ['-c', config, '-a'], { env: lab.env })
      assert.equal(ran.code, 0, ran.stderr)
    },
  }
}

test('mbsync keeps a Maildir and a mailbox alike in both directions', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { mbsync: 'isync' } }, t))) return
  const lab = await startLabProcess(t)
  const { sync, inbox } = await mbsync(lab)
  await sync()
  const files = (folder: string) => readdirSync(join(inbox, folder))
  assert.equal(files('new').length + files('cur').length, 2)
  // Here to there: a new letter, and one that has been read.
  writeFileSync(
    join(inbox, 'cur', '1.new.here:2,S'),
    'From: a@b.example\nSubject: from the Maildir\n\nHello\n',
  )
  const [unread] = files('new')
  renameSync(join(inbox, 'new', unread!), join(inbox, 'cur', `${unread!.split(':')[0]}:2,FS`))
  await sync()
  const { address, port } = endpointOf(lab.hamburger.imap)
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    host: address,
    port,
    secure: false,
    servername: lab.hamburger.hostname,
    tls: { ca: readFileSync(lab.ca) },
    auth: { user: 'bob@hamburger.edu', pass: 'hungry' },
    logger: false,
  })
  await client.connect()
  await client.mailboxOpen('INBOX')
  assert.equal(((await client.search({ subject: 'from the Maildir', seen: true })) || []).length, 1)
  assert.equal(((await client.search({ flagged: true, seen: true })) || []).length, 1)
  // There to here: one removed, one answered.
  const [gone] = (await client.search({ subject: 'from the Maildir' }, { uid: true })) || []
  await client.messageDelete([gone!], { uid: true })
  await client.messageFlagsAdd('1', ['\\Answered'])
  await client.logout()
  await sync()
  const left = [...files('cur'), ...files('new')]
  assert.equal(left.length, 2)
  assert.equal(left.filter((name) => /:2,[A-Z]*R/.test(name)).length, 1)
})

test('mutt reads a letter and files it', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { mutt: 'mutt', script: 'bsdutils' } }, t))) return
  const lab = await startLabProcess(t)
  const { address, port } = endpointOf(lab.hamburger.imap)
  const config = join(lab.folder, 'muttrc')
  const shown = join(lab.folder, 'shown')
  const folder = `imap://bob%40hamburger.edu@${address}:${port}`
  writeFileSync(
    config,
    `set imap_user="bob@hamburger.edu"\nset imap_pass="hungry"\nset folder="${folder}/"\nset spoolfile="${folder}/INBOX"\n` +
      'set ssl_starttls=no\nset ssl_force_tls=no\nset confirmappend=no\nset delete=yes\nset quit=yes\nset wait_key=no\n' +
      `set header_cache=""\nset copy=no\nset record=""\nset mark_old=no\n` +
      // Reads the first letter, writes what it saw into a file, saves the second into Archive, and quits.
      `push "<first-entry><pipe-message>cat > ${shown}<enter><last-entry><save-message>=Archive<enter><sync-mailbox><quit>"\n`,
  )
  const command = `mutt -n -F ${config}`
  const ran = await runProgram('script', ['-qec', command, '/dev/null'], {
    env: { ...lab.env, TERM: 'xterm' },
  })
  assert.equal(ran.code, 0, ran.stdout)
  assert.match(readFileSync(shown, 'latin1'), /^From: /m)
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    host: address,
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user: 'bob@hamburger.edu', pass: 'hungry' },
    logger: false,
  })
  await client.connect()
  const inbox = await client.status('INBOX', { messages: true })
  const archive = await client.status('Archive', { messages: true })
  await client.logout()
  assert.deepEqual([messagesIn(inbox), messagesIn(archive)], [1, 1])
})

const messagesIn = (status: false | { messages?: number | undefined }): number | undefined =>
  status === false ? undefined : status.messages

test('imapflow is told of a letter while it idles, moves it, and sees it gone', async (t: TestContext) => {
  const lab = await startLabProcess(t)
  const { address, port } = endpointOf(lab.hamburger.imaps)
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    host: address,
    port,
    secure: true,
    servername: lab.hamburger.hostname,
    tls: { ca: readFileSync(lab.ca) },
    auth: { user: 'bob@hamburger.edu', pass: 'hungry' },
    logger: false,
  })
  await client.connect()
  t.after(() => client.close())
  await client.mailboxOpen('INBOX')
  const told = new Promise<number>((resolve) =>
    client.on('exists', ({ count }: { count: number }) => resolve(count)),
  )
  void client.idle()
  const mx = endpointOf(lab.hamburger.smtp)
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({ host: mx.address, port: mx.port, ignoreTLS: true })
  await transport.sendMail({ from: 'a@b.example', to: 'bob@hamburger.edu', subject: 'knock', text: 'knock' })
  transport.close()
  assert.equal(await told, 3)
  const moved = await client.messageMove('3', 'Archive')
  assert.ok(moved && moved.uidMap?.size === 1)
  assert.equal(client.mailbox === false ? null : client.mailbox.exists, 2)
  await client.mailboxOpen('Archive')
  const found = await client.fetchOne('1', { envelope: true, bodyStructure: true })
  assert.equal(found === false ? null : found.envelope?.subject, 'knock')
  await client.logout()
})
