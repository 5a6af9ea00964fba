/** Other people's programs as oracles: what they write we import, what we export they read. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirePrograms } from '../harness/programs.ts'
import { exportTo, fill, importFrom, type Mail, readAll, setUpTransfer } from './fixture.ts'

const python = { debian: { python3: 'python3' } }

/** Runs a program of python. @returns What it printed, as JSON. */
function runPython(program: string, ...args: string[]): unknown {
  const printed = execFileSync('python3', ['-c', program, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return printed.trim() === '' ? null : JSON.parse(printed)
}

const write = `
import mailbox, sys, email.message
kind, path = sys.argv[1:]
box = mailbox.mbox(path) if kind == 'mbox' else mailbox.Maildir(path)
def message(i, text):
    m = (mailbox.mboxMessage if kind == 'mbox' else mailbox.MaildirMessage)()
    m['Subject'] = 'message %d' % i
    m['From'] = 'ada@client.example'
    m.set_payload(text)
    return m
texts = ['hello\\n', 'From the beginning\\n>From deep\\n', '\\n\\nFrom x\\n\\n', 'no line end', '', 'x' * 200000 + '\\n']
flags = ['', 'R', 'RAF', 'D', 'F', 'RO'] if kind == 'mbox' else ['', 'S', 'RSF', 'T', 'FP', 'SD']
for i, text in enumerate(texts):
    m = message(i, text)
    if kind == 'mbox':
        m.set_from('ada@client.example', (2025, 11, 6, 10, 11, 12 + i, 3, 310, 0))
        m.set_flags(flags[i])
    else:
        m.set_subdir('cur')
        m.set_flags(flags[i])
        m.set_date(1762423872 + i)
    box.add(m)
if kind == 'maildir':
    box.add_folder('Work.2024').add(message(9, 'in a folder\\n'))
box.flush()
box.close()
`

const texts = [
  'hello\n',
  'From the beginning\n>From deep\n',
  '\n\nFrom x\n\n',
  'no line end',
  '',
  `${'x'.repeat(200_000)}\n`,
]
const marks = {
  mbox: [[0], [1], [7], [8], [4], [1]],
  maildir: [[0], [1], [7], [8], [4, '$Forwarded'], [17]],
}

for (const kind of ['mbox', 'maildir'] as const) {
  test(`what python’s mailbox writes as ${kind} is imported as it was`, async (t) => {
    if (!(await requirePrograms(python, t))) return
    const { folder, store, door, newAccount } = await setUpTransfer(t)
    const { accountId, address } = await newAccount()
    const path = join(folder, 'theirs.mbox')
    runPython(write, kind, path)
    // Python quotes From as mboxo does.
    const { skipped } = await importFrom(door, address, path, kind === 'mbox' ? { format: 'mboxo' } : {})
    assert.deepEqual(skipped, [])
    const mail = await readAll(store, accountId)
    const inbox = mail[kind === 'mbox' ? 'theirs' : 'INBOX']!
    const subject = (text: string) => Number(/^Subject: message (\d+)/m.exec(text)?.[1])
    const messages = [...inbox].sort((a, b) => subject(a.text) - subject(b.text))
    assert.equal(messages.length, texts.length)
    for (const [i, message] of messages.entries()) {
      const body = message.text.slice(message.text.indexOf('\r\n\r\n') + 4)
      // It ends each message of an mbox with a line end, quotes ">From" too, and ours to read is what it wrote.
      const wanted = texts[i]!.replaceAll('\n', '\r\n')
      assert.equal(
        body.replace(/(\r\n)*$/, ''),
        wanted.replace(/(\r\n)*$/, '').replace(/^>From/gm, kind === 'mbox' ? 'From' : '>From'),
        String(i),
      )
      assert.deepEqual([message.flags, ...message.keywords], marks[kind][i], `flags of ${i}`)
      assert.equal(message.date, (1_762_423_872 + i) * 1_000)
    }
    if (kind === 'maildir') assert.match(mail['Work/2024']![0]!.text, /in a folder\r\n$/)
  })
}

const read = `
import mailbox, sys, json
kind, path = sys.argv[1:]
box = mailbox.mbox(path) if kind == 'mbox' else mailbox.Maildir(path)
def told(m):
    date = m.get_from() if kind == 'mbox' else int(m.get_date())
    return {'flags': ''.join(sorted(m.get_flags())), 'date': date, 'body': m.get_payload(), 'subject': m['Subject']}
folders = {} if kind == 'mbox' else {name: [told(m) for m in box.get_folder(name)] for name in box.list_folders()}
print(json.dumps({'messages': [told(m) for m in box], 'folders': folders}))
`

interface Told {
  readonly messages: readonly { flags: string; date: string | number; body: string; subject: string }[]
  readonly folders: Readonly<Record<string, Told['messages']>>
}

const moment = Date.UTC(2025, 10, 6, 10, 11, 12)
const mail: Mail = {
  INBOX: [
    { text: 'Subject: a\r\n\r\nhello\r\n', flags: 1, keywords: ['work'], date: moment },
    { text: 'Subject: b\r\n\r\nFrom here\r\n', flags: 6, keywords: ['$Forwarded'], date: moment + 1_000 },
    { text: 'Subject: c\r\nStatus: mine\r\n\r\nx', flags: 0, keywords: [], date: moment + 2_000 },
  ],
  'Work/Grüße': [{ text: 'Subject: d\r\n\r\nin a folder\r\n', flags: 25, keywords: [], date: moment }],
}

test('python’s mailbox reads what is exported', async (t) => {
  if (!(await requirePrograms(python, t))) return
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  await fill(store, accountId, mail)
  await exportTo(door, address, join(folder, 'mbox'), 'mbox')
  const mbox = runPython(read, 'mbox', join(folder, 'mbox', 'INBOX.mbox')) as Told
  assert.deepEqual(
    mbox.messages.map(({ flags, body, subject }) => [flags, body, subject]),
    [
      ['OR', 'hello\n', 'a'],
      // Python leaves the quote where it is.
      ['AFO', '>From here\n', 'b'],
      ['O', 'x\n', 'c'],
    ],
  )
  assert.equal(mbox.messages[0]?.date, 'MAILER-DAEMON Thu Nov  6 10:11:12 2025')
  await exportTo(door, address, join(folder, 'maildir'), 'maildir')
  const maildir = runPython(read, 'maildir', join(folder, 'maildir')) as Told
  const told = [...maildir.messages].sort((a, b) => (a.subject < b.subject ? -1 : 1))
  assert.deepEqual(
    told.map(({ flags, body, date }) => [flags.replace(/[a-z]/g, ''), body, date]),
    [
      ['S', 'hello\n', moment / 1_000],
      ['FPR', 'From here\n', moment / 1_000 + 1],
      ['', 'x', moment / 1_000 + 2],
    ],
  )
  const folders = Object.keys(maildir.folders).sort()
  assert.deepEqual(folders, ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash', 'Work', 'Work.Gr&APwA3w-e'])
  assert.deepEqual(
    maildir.folders['Work.Gr&APwA3w-e']?.map(({ flags }) => flags),
    ['DST'],
  )
})

test('mutt reads an exported Maildir and mbox with their flags', async (t) => {
  if (!(await requirePrograms({ debian: { mutt: 'mutt' } }, t))) return
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const { accountId, address } = await newAccount()
  await fill(store, accountId, mail)
  for (const [format, path] of [
    ['maildir', 'maildir'],
    ['mbox', 'mbox/INBOX.mbox'],
  ] as const) {
    await exportTo(door, address, join(folder, format), format)
    const rc = join(folder, 'muttrc')
    const saved = join(folder, `flagged-${format}`)
    const lines = [
      'set mbox_type=mbox copy=no confirmcreate=no confirmappend=no delete=yes quit=yes header_cache=""',
      'set sort=date-received mark_old=no',
      `push "<tag-pattern>~F<enter><tag-prefix><copy-message>${saved}<enter><exit>"`,
    ]
    writeFileSync(rc, `${lines.join('\n')}\n`)
    execFileSync('script', ['-qec', `mutt -R -F ${rc} -f ${join(folder, path)}`, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', HOME: folder },
      stdio: 'ignore',
      timeout: 20_000,
    })
    const copied = await newAccount()
    await importFrom(door, copied.address, saved, { into: 'copy' })
    const { copy } = await readAll(store, copied.accountId)
    assert.deepEqual(
      copy?.map(({ text, flags }) => [/Subject: (.)/.exec(text)?.[1], flags & 4]),
      [['b', 4]],
      format,
    )
  }
})

test('mbsync copies an exported Maildir with its flags', async (t) => {
  if (!(await requirePrograms({ debian: { mbsync: 'isync' } }, t))) return
  const { folder, store, door, newAccount } = await setUpTransfer(t)
  const [from, to] = [await newAccount(), await newAccount()]
  const plain = { ...mail['INBOX']![0]!, keywords: [] }
  await fill(store, from.accountId, {
    INBOX: [plain, { ...plain, flags: 6, text: 'Subject: z\r\n\r\nz\r\n' }],
  })
  const out = join(folder, 'out')
  await exportTo(door, from.address, out, 'maildir')
  const rc = [
    'MaildirStore ours',
    `Inbox ${out}`,
    `Path ${folder}/`,
    '',
    'MaildirStore theirs',
    `Inbox ${folder}/theirs`,
    `Path ${folder}/`,
    '',
    'Channel all',
    'Far :ours:',
    'Near :theirs:',
    'Create Near',
    'Sync Pull',
    'CopyArrivalDate yes',
    `SyncState ${folder}/state-`,
  ]
  writeFileSync(join(folder, 'mbsyncrc'), `${rc.join('\n')}\n`)
  execFileSync('mbsync', ['-c', join(folder, 'mbsyncrc'), 'all'], { stdio: 'pipe', timeout: 20_000 })
  await importFrom(door, to.address, join(folder, 'theirs'))
  const facts = (all: Mail) =>
    all['INBOX']!.map(({ text, flags, date }) => [text.replace(/^X-TUID.*\r\n/m, ''), flags, date]).sort()
  assert.deepEqual(facts(await readAll(store, to.accountId)), facts(await readAll(store, from.accountId)))
})
