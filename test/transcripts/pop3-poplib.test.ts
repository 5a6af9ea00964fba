import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { letterOf, openWorld, testTls } from './pop3-world.ts'

const script = `
import poplib, ssl, sys
port = int(sys.argv[1])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
first = poplib.POP3('127.0.0.1', port, timeout=10)
assert 'STLS' in first.capa()
first.stls(context)
first.user('bob'); first.pass_('hungry')
assert first.stat() == (3, 498 + 70000 + 27), first.stat()
assert first.list()[1] == [b'1 498', b'2 70000', b'3 27']
assert first.uidl()[1][0] == b'1 1700000000.1'
assert len(b'\\r\\n'.join(first.retr(1)[1])) + 2 == 498
assert len(b'\\r\\n'.join(first.retr(2)[1])) + 2 == 70000
assert first.retr(3)[1] == [b'Subject: dots', b'', b'.', b'..', b'x'], first.retr(3)[1]
assert first.top(3, 1)[1] == [b'Subject: dots', b'', b'.']
first.dele(1)
try:
    first.retr(1)
    raise SystemExit('retr of a deleted message')
except poplib.error_proto:
    pass
try:
    second = poplib.POP3('127.0.0.1', port, timeout=10)
    second.stls(context)
    second.user('bob'); second.pass_('hungry')
    raise SystemExit('two sessions')
except poplib.error_proto as error:
    assert b'[IN-USE]' in error.args[0]
assert first.quit() == b'+OK POP3 server signing off'
third = poplib.POP3('127.0.0.1', port, timeout=10)
third.stls(context)
third.user('bob'); third.pass_('hungry')
assert third.stat()[0] == 2
third.quit()
`

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import poplib, ssl'])
    return true
  } catch {
    return false
  }
}

test("Python's poplib fetches, keeps and deletes over STLS", {
  skip: hasPython() ? false : 'no python3',
}, async () => {
  await using world = await openWorld({ tls: testTls(), plaintext: 'never' })
  world.mail.add(1, letterOf(498, 'Ketchup'))
  world.mail.add(1, letterOf(70_000, 'Pickles'))
  world.mail.add(1, 'Subject: dots\r\n\r\n.\r\n..\r\nx\r\n')
  await promisify(execFile)('python3', ['-c', script, String(world.endpoint.port)], { timeout: 30_000 })
  assert.equal(world.mail.letters(1).length, 2)
})
