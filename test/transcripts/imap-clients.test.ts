/** Real clients against the door: python's imaplib and curl, where the machine has them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { requirePrograms } from '../harness/programs.ts'
import { openImapWorld } from './imap-world.ts'

const run = promisify(execFile)

const script = `
import imaplib, sys
m = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
assert m.login('bob', 'hungry')[0] == 'OK'
assert m.create('"Work/2026"')[0] == 'OK'
typ, data = m.append('Work/2026', '\\\\Seen', imaplib.Time2Internaldate(0), b'Subject: from python\\r\\n\\r\\nhello\\r\\n')
assert typ == 'OK', data
assert m.select('Work/2026') == ('OK', [b'1'])
typ, data = m.fetch('1', '(FLAGS UID RFC822.SIZE BODY.PEEK[])')
assert data[0][1] == b'Subject: from python\\r\\n\\r\\nhello\\r\\n', data
assert imaplib.ParseFlags(data[1] if isinstance(data[1], bytes) and b'FLAGS' in data[1] else data[0][0]) != (), data
assert m.search(None, 'SUBJECT', '"python"') == ('OK', [b'1'])
assert m.uid('SEARCH', None, 'TEXT', 'HELLO')[1] == [b'1']
assert m.store('1', '+FLAGS', '\\\\Deleted')[0] == 'OK'
assert m.copy('1', 'INBOX')[0] == 'OK'
assert m.expunge() == ('OK', [b'1'])
assert m.status('INBOX', '(MESSAGES UNSEEN)')[1] == [b'INBOX (MESSAGES 1 UNSEEN 0)']
typ, boxes = m.list()
assert b'(\\\\HasNoChildren) "/" Work/2026' in boxes, boxes
assert m.close()[0] == 'OK'
assert m.logout()[0] == 'BYE'
print('fine')
`

test('imaplib of python can do its usual work', async (t) => {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return
  const world = await openImapWorld()
  try {
    const { stdout } = await run('python3', ['-c', script, String(world.endpoint.port)])
    assert.equal(stdout.trim(), 'fine')
  } finally {
    await world.close()
  }
})

test('curl lists, searches and fetches', async (t) => {
  if (!(await requirePrograms({ debian: { curl: 'curl' } }, t))) return
  const world = await openImapWorld()
  try {
    await world.deliver('Subject: for curl\r\n\r\nhello\r\n')
    const url = `imap://127.0.0.1:${world.endpoint.port}`
    const ask = async (...args: string[]) => (await run('curl', ['-sS', '-u', 'bob:hungry', ...args])).stdout
    assert.match(await ask(`${url}/`), /^\* LIST \(\\HasNoChildren\) "\/" INBOX\r$/m)
    assert.equal(await ask(`${url}/INBOX;MAILINDEX=1`), 'Subject: for curl\r\n\r\nhello\r\n')
    assert.match(await ask(`${url}/INBOX`, '-X', 'SEARCH UNSEEN'), /^\* SEARCH\r$/m)
    assert.match(await ask(`${url}/INBOX?SUBJECT%20curl`), /^\* SEARCH 1\r$/m)
  } finally {
    await world.close()
  }
})
