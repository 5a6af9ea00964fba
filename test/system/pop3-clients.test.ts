/** Other people's programs collect Bob's letters by POP3. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { endpointOf, runProgram, startLabProcess } from '../harness/lab.ts'
import { requirePrograms } from '../harness/programs.ts'

const poplib = `
import poplib, ssl, sys
host, port, tls_port, ca, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
context = ssl.create_default_context(cafile=ca)
box = poplib.POP3(host, port)
box.host = name
box.stls(context)
box.user('bob')
box.pass_('hungry')
assert box.stat() == (2, 1410), box.stat()
assert [line.decode() for line in box.list()[1]] == ['1 498', '2 912'], box.list()
ids = [line.decode().split()[1] for line in box.uidl()[1]]
reply, lines, octets = box.retr(1)
assert octets == 498, octets
assert sum(len(line) + 2 for line in lines) == 498
box.top(2, 0)
box.dele(1)
box.rset()
box.quit()
# L13: download and keep. Nothing was deleted, and the server remembers nothing of the session but the maildrop itself.
context.check_hostname = False
box = poplib.POP3_SSL(host, tls_port, context=context)
box.user('bob@hamburger.edu')
box.pass_('hungry')
assert [line.decode().split()[1] for line in box.uidl()[1]] == ids
box.dele(1)
box.close()
# A connection that ends without QUIT deletes nothing.
box = poplib.POP3(host, port)
box.user('bob')
box.pass_('hungry')
assert len(box.uidl()[1]) == 2
# L13: download and delete.
box.dele(1)
box.quit()
box = poplib.POP3(host, port)
box.user('bob')
box.pass_('hungry')
assert [line.decode().split()[1] for line in box.uidl()[1]] == ids[1:]
box.quit()
`

test('L11 L13 poplib keeps, deletes, and finds what it left', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { python3: 'python3' } }, t))) return
  const lab = await startLabProcess(t)
  const plain = endpointOf(lab.hamburger.pop3)
  const secure = endpointOf(lab.hamburger.pop3s)
  const args = [plain.address, String(plain.port), String(secure.port), lab.ca, lab.hamburger.hostname]
  const ran = await runProgram('python3', ['-c', poplib, ...args])
  assert.equal(ran.code, 0, ran.stderr)
})

test('curl lists and fetches by POP3, over STLS and over TLS', async (t: TestContext) => {
  if (!(await requirePrograms({ debian: { curl: 'curl' } }, t))) return
  const lab = await startLabProcess(t)
  for (const [scheme, door] of [
    ['pop3', lab.hamburger.pop3],
    ['pop3s', lab.hamburger.pop3s],
  ] as const) {
    const { address, port } = endpointOf(door)
    const base = [
      '-sS',
      '--ssl-reqd',
      '--cacert',
      lab.ca,
      '--resolve',
      `${lab.hamburger.hostname}:${port}:${address}`,
      '--user',
      'bob@hamburger.edu:hungry',
    ]
    const listed = await runProgram('curl', [...base, `${scheme}://${lab.hamburger.hostname}:${port}/`])
    assert.equal(listed.stdout, '1 498\r\n2 912\r\n', listed.stderr)
    const fetched = await runProgram('curl', [...base, `${scheme}://${lab.hamburger.hostname}:${port}/2`])
    assert.equal(Buffer.byteLength(fetched.stdout, 'latin1'), 912, fetched.stderr)
  }
})
