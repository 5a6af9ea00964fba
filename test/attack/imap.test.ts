/** What is tried on the IMAP door: before log-in, and by an account of one's own. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { type ImapWorld, loggedIn, openImapWorld, type WorldOptions } from '../transcripts/imap-world.ts'
import { type Attacker, attack } from './client.ts'

async function openWorld(t: TestContext, options: WorldOptions = {}): Promise<ImapWorld> {
  const world = await openImapWorld(options)
  t.after(() => world.close())
  return world
}

async function logIn(t: TestContext, world: ImapWorld): Promise<Attacker> {
  const one = await attack(world.endpoint)
  t.after(() => one.socket.destroy())
  one.send('l LOGIN bob hungry\r\ns SELECT INBOX\r\n')
  await one.until(/\r\ns OK.*\r\n/)
  return one
}

/** Octets that the server holds for a client that does not read. */
async function unreadReply(one: Attacker, command: string): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  one.socket.pause()
  one.send(`${command}\r\n`)
  await sleep(1_500)
  return process.memoryUsage().arrayBuffers - before
}

test('Literals of any size before log-in are refused, and nothing in them is a command', async (t) => {
  const world = await openWorld(t)
  for (const size of ['4097', '4294967296', '18446744073709551616', '9'.repeat(400)]) {
    await world.play(`
      S: * OK <…>
      C: a LOGIN {${size}}
      S: a BAD [TOOBIG] Literal is too large
      C: b LOGIN bob {${size}}
      S: b BAD [TOOBIG] Literal is too large
      C: c NOOP
      S: c OK Nothing done
    `)
  }
  const one = await attack(world.endpoint)
  t.after(() => one.socket.destroy())
  await one.until(/\r\n/)
  one.send('a LOGIN {16+}\r\nx NOOP\r\ny NOOP\r\n {8+}\r\nz NOOP\r\n\r\nd NOOP\r\n')
  assert.match(await one.until(/d OK.*\r\n/), /^a NO [^\r]*\r\nd OK[^\r]*\r\n$/)
  for (const size of ['65537', '4294967296', '9'.repeat(400)]) {
    await world.play(`
      S: * OK <…>
      C: a LOGIN {${size}+}
      C: b NOOP
      S: * BYE [TOOBIG] Literal is too large
      S: (closed)
    `)
  }
})

test('Numbers between braces that are no size make a line of their own', async (t) => {
  const world = await openWorld(t)
  for (const size of ['-1', '', '+', '1.0', '0x10', '1+1', ' 1', '1e3'])
    await world.play(`
      S: * OK <…>
      C: a LOGIN {${size}}
      S: a BAD Cannot read command: <…>
      C: b NOOP
      S: b OK Nothing done
    `)
})

test('Tags are repeated only when they are tags', async (t) => {
  const world = await openWorld(t)
  for (const tag of ['+', '*', '(', '{1}', '%', '"a"', '\\', 'a+b', '\x01', 'é', 'x'.repeat(201), '']) {
    const one = await attack(world.endpoint)
    await one.until(/\r\n/)
    one.send(`${tag} NOOP\r\n`)
    assert.match(await one.until(/^.*\r\n/), /^\* BAD [\x20-\x7e]+\r\n$/, JSON.stringify(tag))
    one.socket.destroy()
  }
})

test('A text of SEARCH has a bound: to look for a long one takes time with the product', async (t) => {
  const world = await openWorld(t)
  await world.deliver(`Subject: a\r\n\r\n${'a'.repeat(500_000)}\r\n`)
  const needle = 'a'.repeat(30_000) + 'b' + 'a'.repeat(30_000)
  const one = await logIn(t, world)
  one.send(`f SEARCH BODY {${needle.length}+}\r\n${needle}\r\n`)
  assert.match(await one.until(/f .*\r\n/), /^f NO \[LIMIT\]/)
  const allowed = 'a'.repeat(500) + 'b' + 'a'.repeat(499)
  const startMs = Date.now()
  await one.ask(`g SEARCH BODY ${allowed}`, /g OK.*\r\n/)
  assert.ok(Date.now() - startMs < 5_000)
})

test('LSUB with % looks at no more names than are subscribed, however deep they are', async (t) => {
  const world = await openWorld(t)
  for (let i = 0; i < 60; i++)
    await world.store.setSubscribed(world.accountId, `${i % 3}${'/x'.repeat(40)}/${i}`, true)
  await world.play(`
    ${loggedIn}
    C: a LSUB "" "%"
    S: * LSUB (\\Noselect) "/" 0
    S: * LSUB (\\Noselect) "/" 1
    S: * LSUB (\\Noselect) "/" 2
    S: * LSUB () "/" Archive
    S: * LSUB () "/" Drafts
    S: * LSUB () "/" INBOX
    S: * LSUB () "/" Junk
    S: * LSUB () "/" Sent
    S: * LSUB () "/" Trash
    S: a OK Listed
    C: b LSUB "" "1/%"
    S: * LSUB (\\Noselect) "/" 1/x
    S: b OK Listed
    C: c LSUB "1/" "%/%"
    S: * LSUB (\\Noselect) "/" 1/x/x
    S: c OK Listed
  `)
})

const parts = 400
const bomb =
  'Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
  `--b\r\nContent-Type: text/plain; name="${'n'.repeat(200)}"\r\n\r\nhi\r\n`.repeat(parts) +
  '--b--\r\n'

test('A client that asks for much and reads nothing makes the server hold a bounded amount', async (t) => {
  const world = await openWorld(t)
  for (let i = 0; i < 40; i++) await world.deliver(`Subject: ${i}\r\n\r\n${'y'.repeat(60_000)}\r\n`)
  const one = await logIn(t, world)
  const items = Array.from({ length: 99 }, (_, i) => `BODY.PEEK[]<${i}.60000>`)
  const held = await unreadReply(one, `f FETCH 1:* (${items.join(' ')})`)
  assert.ok(held < 40_000_000, `${held} octets are held of 230 MB`)
})

for (const item of ['BODY', 'BODYSTRUCTURE', 'ENVELOPE', 'BODY.PEEK[400.MIME]']) {
  test(`FETCH ${item} of messages with hundreds of parts lets others have their turn`, async (t) => {
    const world = await openWorld(t)
    for (let i = 0; i < 60; i++) await world.deliver(bomb)
    const one = await logIn(t, world)
    const other = await logIn(t, world)
    let turns = 0
    let asking = true
    const asker = (async () => {
      for (; asking; turns++) await other.ask('n NOOP', /n OK.*\r\n/)
    })()
    await one.ask(`f FETCH 1:* ${item}`, /f OK Fetched\r\n$/)
    asking = false
    await asker
    assert.ok(turns >= 10, `others had their turn ${turns} times`)
  })
}

test('Sequence sets and partials at the edges of numbers', async (t) => {
  const world = await openWorld(t, { limits: { errorsPerSession: 100 } })
  await world.deliver('Subject: 1\r\n\r\none\r\n')
  await world.deliver('Subject: 2\r\n\r\ntwo\r\n')
  const one = await logIn(t, world)
  const ask = (command: string) => one.ask(`f ${command}`, /(?:^|\r\n)f .*\r\n/)
  assert.match(await ask('UID FETCH 4294967295:1 UID'), /^\* 1 .*\r\n\* 2 .*\r\nf OK/)
  assert.match(await ask('UID FETCH *:4294967295 UID'), /^\* 2 [^*]*f OK/)
  assert.match(await ask(`FETCH ${'*,'.repeat(9_999)}* UID`), /^\* 2 [^*]*f OK/)
  for (const set of ['0', '-1', '4294967296', '1:', ':1', '1,,2', ',1', '1;2', '1:2:3', '01', '3', '**'])
    assert.match(await ask(`FETCH ${set} UID`), /^f BAD/, set)
  assert.match(await ask(`FETCH ${'1,'.repeat(10_000)}1 UID`), /^f BAD .*more than 10000/)
  assert.match(await ask('FETCH 1 BODY.PEEK[]<4294967295.4294967295>'), /\{0\}\r\n\)\r\nf OK/)
  for (const item of ['<4294967296.1>', '<0.0>', '<-1.1>', '<1>', '<1.>'])
    assert.match(await ask(`FETCH 1 BODY.PEEK[]${item}`), /^f BAD/, item)
  for (const section of ['1.'.repeat(50) + '1', '0', '1.0', '4294967296'])
    assert.match(await ask(`FETCH 1 BODY.PEEK[${section}]`), /^f BAD/, section)
  for (const key of [
    'NOT '.repeat(51) + 'ALL',
    '('.repeat(51) + 'ALL' + ')'.repeat(51),
    'ALL '.repeat(1_001) + 'ALL',
  ])
    assert.match(await ask(`SEARCH ${key}`), /^f BAD/)
})

test('Names of mailboxes that would be something else elsewhere are refused', async (t) => {
  const world = await openWorld(t)
  const one = await logIn(t, world)
  const names = ['..', '../../etc/passwd', 'a/../b', 'a//b', '/', '/a', './a', 'a%b', '*', 'x'.repeat(1_001)]
  const tricks = [
    '&AGE-',
    '&AAA-',
    '&2AA-',
    '&AOk',
    '&',
    '&AOk-&AOk-',
    '&AC8-',
    'a&Jjo!b',
    '&ACo-',
    '\xc3\xa9',
    'a\tb',
  ]
  for (const name of [...names, 'a/'.repeat(51) + 'a', ...tricks]) {
    const reply = await one.ask(`a CREATE "${name}"`, /(?:^|\r\n)a .*\r\n/)
    assert.match(reply, /^a (NO|BAD) /, JSON.stringify(name))
  }
  one.send('a CREATE {3+}\r\na\0b\r\n')
  assert.match(await one.until(/a .*\r\n/), /^a BAD /)
  assert.equal((await world.store.listMailboxes(world.accountId)).length, 6)
})

test('An APPEND with bare LF or a dot ends where it says, and one with NUL is refused', async (t) => {
  const world = await openWorld(t)
  const one = await logIn(t, world)
  const text = 'Subject: x\n\r\nab\n.\r\nc LOGOUT\r\n'
  one.send(`p APPEND INBOX {${text.length}+}\r\n${text}\r\n`)
  assert.match(await one.until(/p .*\r\n/), /p OK/)
  // RFC 3501 §9: a CHAR8 is never NUL.
  const withNul = text.replace('ab', 'a\0b')
  one.send(`q APPEND INBOX {${withNul.length}+}\r\n${withNul}\r\n`)
  assert.match(await one.until(/q .*\r\n/), /q NO/)
  const shown = await one.ask('f FETCH 1:* BODY.PEEK[]', /f OK.*\r\n/)
  assert.ok(shown.includes(`{${text.length}}\r\n${text})`))
  assert.ok(!shown.includes('* 2 FETCH'))
})

test("One account sees nothing of another's, whatever numbers it names", async (t) => {
  const world = await openWorld(t)
  await world.deliver('Subject: secret\r\n\r\nbob only\r\n')
  await world.play(`
    S: * OK <…>
    C: a LOGIN carol thirsty
    S: a OK <…>
    C: b SELECT "../bob/INBOX"
    S: b NO [NONEXISTENT] No such mailbox
    C: c SELECT INBOX
    S: * FLAGS <…>
    S: * OK [PERMANENTFLAGS <…>
    S: * 0 EXISTS
    S: * 0 RECENT
    S: * OK [UIDVALIDITY <…>
    S: * OK [UIDNEXT 1] Next UID
    S: c OK <…>
    C: d UID FETCH 1:4294967295 BODY[]
    S: d OK Fetched
    C: e UID COPY 1 Trash
    S: e OK Nothing to copy
    C: f SEARCH TEXT secret
    S: * SEARCH
    S: f OK Searched
  `)
})

test('Subscriptions have a bound, and are not counted anew for each', async (t) => {
  let counts = 0
  const world = await openWorld(t, {
    limits: { mailboxesPerAccount: 200 },
    wrapStore: (store) =>
      new Proxy(store, {
        get(target, name) {
          if (name === 'listSubscriptions') counts++
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
  })
  const bound = 400 - (await world.store.listSubscriptions(world.accountId)).length
  const one = await logIn(t, world)
  for (let i = 0; i < bound + 3; i++) one.send(`a SUBSCRIBE ${i}\r\n`)
  one.send('z NOOP\r\n')
  const replies = await one.until(/z OK.*\r\n/)
  assert.equal(replies.match(/^a OK /gm)?.length, bound)
  assert.equal(replies.match(/^a NO \[LIMIT\]/gm)?.length, 3)
  assert.ok(counts < 10, `counted ${counts} times`)
})
