/** What people see of a disk that fails: temporary refusals, reading that goes on, and recovery without anybody's help. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type Attacker, attack } from '../attack/client.ts'
import { errno, failing } from '../powercut/shim.ts'
import { startFaultyServer } from './faults-server.ts'

const always = 1_000_000

/** The whole answer to a command, to its tagged line. */
const ask = (imap: Attacker, command: string) => imap.ask(`t ${command}`, /^t (?:OK|NO|BAD).*\r\n/m)

async function append(imap: Attacker): Promise<string> {
  const letter = 'Subject: appended\r\n\r\nHello\r\n'
  return ask(imap, `APPEND INBOX {${letter.length}+}\r\n${letter}`)
}

interface Fault {
  readonly what: string
  readonly order: { readonly mask: number; readonly part: string }
  /** Answers to a small letter, a large one, and to STORE. */
  readonly answers: readonly [string, string, string]
}

const all = failing.write | failing.open | failing.mkdir
const faults: readonly Fault[] = [
  // The first, as nothing is indexed before somebody searches.
  { what: 'search index', order: { mask: all, part: 'fts' }, answers: ['250', '250', 'OK'] },
  { what: 'body', order: { mask: failing.write, part: '.seg' }, answers: ['452', '250', 'OK'] },
  { what: 'row', order: { mask: failing.write, part: 'meta.db' }, answers: ['452', '452', 'NO'] },
  { what: 'large body', order: { mask: failing.write, part: '/big/' }, answers: ['250', '452', 'OK'] },
  {
    what: 'new segment',
    order: { mask: failing.write | failing.open, part: '/seg' },
    answers: ['452', '250', 'OK'],
  },
  { what: 'journey', order: { mask: all, part: 'journey' }, answers: ['250', '250', 'OK'] },
  { what: 'everything', order: { mask: all, part: '' }, answers: ['452', '452', 'NO'] },
]

test('a disk that is full while something is written costs that alone, and for as long as it is full', async (t) => {
  const server = await startFaultyServer(t)
  if (server === null) return
  assert.match(await server.deliver('first'), /^250/)
  const imap = await server.imap()
  for (const { what, order, answers } of faults) {
    await t.test(what, async () => {
      server.orders.fail({ ...order, error: errno.ENOSPC, times: always, half: true })
      const [small, large, store] = answers
      assert.match(await server.deliver('small'), new RegExp(`^${small}`))
      assert.match(await server.deliver('large', 600_000), new RegExp(`^${large}`))
      assert.match(await ask(imap, 'STORE 1 FLAGS (\\Seen \\Flagged)'), new RegExp(`^t ${store}`, 'm'))
      const appended = await append(imap)
      assert.match(appended, small === '250' ? /^t OK/m : /^t NO \[UNAVAILABLE\]/m)
      assert.match(await ask(imap, 'FETCH 1 BODY.PEEK[]'), /Subject: first.*t OK/s)
      // Without the index the messages themselves are read.
      if (what === 'search index')
        assert.match(await ask(imap, 'SEARCH TEXT first'), /^\* SEARCH 1\b.*t OK/ms)
      await waitFor(() => server.orders.counts().failed > 0)
      server.orders.none()
      assert.match(await server.deliver('again'), /^250/)
      assert.match(await server.deliver('again', 600_000), /^250/)
      assert.match(await append(imap), /^t OK/m)
      assert.match(await ask(imap, 'STORE 1 FLAGS ()'), /^t OK/m)
    })
  }
  await t.test('checkpoint', async () => {
    assert.match(await server.deliver('before'), /^250/)
    server.orders.fail({ mask: failing.write, part: 'meta.db', error: errno.ENOSPC, times: always })
    // After two seconds without work the log is brought back into the tables.
    await waitFor(() => server.orders.counts().failed > 0)
    server.orders.none()
    assert.match(await server.deliver('after'), /^250/)
  })
  await checkEveryBody(imap)
})

async function checkEveryBody(imap: Attacker): Promise<void> {
  const [, exists] = /\* (\d+) EXISTS/.exec(await ask(imap, 'SELECT INBOX'))!
  const answer = await ask(imap, 'FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]')
  assert.equal([...answer.matchAll(/^Subject: /gm)].length, Number(exists))
  assert.ok(Number(exists) > faults.length * 3)
}

async function waitFor(ready: () => boolean): Promise<void> {
  for (let i = 0; !ready(); i++) {
    assert.ok(i < 200, 'it did not happen')
    await wait(50)
  }
}

test('a segment that cannot be read costs its letters: NO and -ERR for them, the others come', async (t: TestContext) => {
  const server = await startFaultyServer(t)
  if (server === null) return
  await server.deliver('one')
  await server.deliver('two')
  // A failed write ends the first segment.
  server.orders.fail({ mask: failing.write, part: '.seg', error: errno.ENOSPC })
  assert.match(await server.deliver('refused'), /^452/)
  await server.deliver('three')
  server.orders.fail({ mask: failing.read, part: '0-1.seg', error: errno.EIO, times: always })
  const imap = await server.imap()
  assert.match(await ask(imap, 'FETCH 1 BODY.PEEK[]'), /^t NO/m)
  assert.match(await ask(imap, 'FETCH 3 BODY.PEEK[]'), /Subject: three.*t OK/s)
  const both = await ask(imap, 'FETCH 1:3 (FLAGS BODY.PEEK[])')
  assert.match(both, /Subject: three/)
  assert.match(both, /^t NO/m)
  // What needs no body is whole.
  assert.match(await ask(imap, 'FETCH 1:3 (FLAGS ENVELOPE)'), /"one".*"two".*"three".*t OK/s)
  const pop3 = await server.pop3()
  assert.match(await pop3.ask('RETR 1', /^(-ERR|\+OK).*\r\n/), /^-ERR/)
  assert.match(await pop3.ask('RETR 3', /\r\n\.\r\n/), /Subject: three/)
  server.orders.none()
  assert.match(await ask(imap, 'FETCH 1 BODY.PEEK[]'), /Subject: one.*t OK/s)
  assert.match(await pop3.ask('RETR 1', /\r\n\.\r\n/), /Subject: one/)
})

test('without a free file number letters wait at their senders, and come in when there is one', async (t) => {
  const server = await startFaultyServer(t, { openFiles: 90 })
  if (server === null) return
  assert.match(await server.deliver('first', 600_000), /^250/)
  const idle = await Promise.all(Array.from({ length: 120 }, () => attack(server.smtp).catch(() => null)))
  await wait(500)
  for (const one of idle) one?.socket.destroy()
  await Promise.all(idle.map((one) => one?.closed === false && once(one.socket, 'close')))
  const answers: string[] = []
  await waitFor(() => true)
  for (let i = 0; i < 50 && !answers.at(-1)?.startsWith('250'); i++) {
    answers.push(await server.deliver('second', 600_000).catch(String))
    await wait(100)
  }
  assert.match(answers.at(-1)!, /^250/)
  const imap = await server.imap()
  assert.match(await ask(imap, 'FETCH 1:2 BODY.PEEK[]'), /Subject: first.*Subject: second.*t OK/s)
})

test('files that cannot be opened are a temporary refusal', async (t) => {
  const server = await startFaultyServer(t)
  if (server === null) return
  assert.match(await server.deliver('first'), /^250/)
  server.orders.fail({ mask: failing.open, part: '/', error: errno.EMFILE, times: always })
  const imap = await server.imap()
  assert.match(await ask(imap, 'FETCH 1 BODY.PEEK[]'), /^t NO/m)
  assert.match(await server.deliver('large', 600_000), /^452/)
  server.orders.none()
  assert.match(await ask(imap, 'FETCH 1 BODY.PEEK[]'), /Subject: first.*t OK/s)
  assert.match(await server.deliver('large', 600_000), /^250/)
})

test('under the reserve SMTP says 452 and APPEND NO, while all that is there can be read and removed', async (t) => {
  const server = await startFaultyServer(t, { limits: 'disk_reserve_octets = 1000000000000000' })
  if (server === null) return
  assert.match(await server.deliver('new'), /^452 4\.3\.1/)
  assert.match(await server.deliver('new', 600_000), /^452 4\.3\.1/)
  const imap = await server.imap()
  assert.match(await append(imap), /^t NO \[UNAVAILABLE\]/m)
  assert.match(await ask(imap, 'EXPUNGE'), /^t OK/m)
})
