/** What an IMAP server is attacked with: threats.md, "IMAP before log-in … and after". */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { OverQuota, StoreUnavailable } from '../../src/store/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { speakTo } from '../harness/replay.ts'
import { loggedIn, openImapWorld, selected, type ImapWorld, type WorldOptions } from './imap-world.ts'

async function withWorld(
  work: (world: ImapWorld) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  const world = await openImapWorld(options)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

/** A store of which one call does something else. */
function spoiled(name: keyof Store, call: (...args: never[]) => unknown): (store: Store) => Store {
  return (store) =>
    new Proxy(store, {
      get(target, wanted) {
        if (wanted === name) return call
        return (target[wanted as keyof Store] as () => unknown).bind(target)
      },
    })
}

test('Before log-in hardly any memory is given to a stranger, whatever is announced', () =>
  withWorld((world) =>
    world.play(`
      S: * OK <…>
      C: a LOGIN {4097}
      S: a BAD [TOOBIG] Literal is too large
      C: b LOGIN {2147483648}
      S: b BAD [TOOBIG] Literal is too large
      C: c LOGIN {99999999999999999999999}
      S: c BAD [TOOBIG] Literal is too large
      C: d ${'('.repeat(60_000)}
      S: d BAD <…>
      C: e ${')'.repeat(60_000)}
      S: e BAD <…>
      C: f ${'{'.repeat(60_000)}
      S: f BAD <…>
      C: g ${'}'.repeat(60_000)}
      S: g BAD <…>
      C: ${'h'.repeat(60_000)} NOOP
      S: * BAD Cannot read command: tag is too long
      C: i APPEND INBOX {50000000+}
      S: * BYE [TOOBIG] Literal is too large
      S: (closed)
    `),
  ))

test('Sets, sections and searches beyond the bounds are refused, and the session goes on', () =>
  withWorld(async (world) => {
    await world.deliver('Subject: one\r\n\r\n1\r\n')
    await world.play(`
      ${selected(1)}
      C: a FETCH ${'1,'.repeat(10_000)}1 FLAGS
      S: a BAD Cannot read sequence set: more than 10000 ranges
      C: b FETCH ${'1,'.repeat(9_999)}1 UID
      S: * 1 FETCH (UID 1)
      S: b OK Fetched
      C: c FETCH 1 BODY.PEEK[${'1.'.repeat(60)}1]
      S: c BAD Cannot read FETCH: section is nested more than 50 deep
      C: d SEARCH ${'('.repeat(51)}ALL${')'.repeat(51)}
      S: d BAD Cannot read SEARCH: nested more than 50 deep
      C: e SEARCH ${'ALL '.repeat(1_000)}ALL
      S: e BAD Cannot read SEARCH: more than 1000 keys
      C: f SEARCH ${'BODY x '.repeat(50)}BODY x
      S: f BAD Cannot read SEARCH: more than 50 texts
      C: g FETCH 1 (${Array.from({ length: 101 }, (_, i) => `BODY[]<${i}.1>`).join(' ')})
      S: g BAD Cannot read FETCH: more than 100 items
      C: h FETCH 4294967295 UID
      S: h BAD No such message
      C: i UID FETCH 1:4294967295 UID
      S: * 1 FETCH (UID 1)
      S: i OK Fetched
      C: j LIST "" ${'%*'.repeat(30_000)}
      S: * LIST <…>
      S: * LIST <…>
      S: * LIST <…>
      S: * LIST <…>
      S: * LIST <…>
      S: * LIST <…>
      S: j OK Listed
      C: k STORE 1 +FLAGS (${Array.from({ length: 101 }, (_, i) => `k${i}`).join(' ')})
      S: k BAD Cannot read flags: more than 100 keywords
      C: l STORE 1 +FLAGS (${Array.from({ length: 40 }, (_, i) => `k${i}`).join(' ')})
      S: l NO [LIMIT] A limit of the server has been reached
      C: m NOOP
      S: m OK Nothing done
    `)
  }))

test('A client that does not read gets no more than the bound into our memory', () =>
  withWorld(async (world) => {
    const octets = 200_000
    await world.deliver(`Subject: big\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(octets, 'y'))
    const speaker = await speakTo(world.endpoint)
    speaker.send('a LOGIN bob hungry\r\nb SELECT INBOX\r\n')
    await speaker.expect('* OK <…>')
    speaker.socket.pause()
    const before = process.memoryUsage()
    for (let i = 0; i < 500; i++) speaker.send(`c${i} FETCH 1 BODY.PEEK[]\r\n`)
    await wait(500)
    const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers
    assert.ok(grown < 20_000_000, `${grown} octets`)
    speaker.socket.destroy()
  }))

test('Trouble of the store is a NO that says so, and nothing more', () =>
  withWorld(
    (world) =>
      world.play(`
        ${loggedIn}
        C: a APPEND INBOX {3+}
        C: abc
        S: a NO [OVERQUOTA] The account is full
        C: b NOOP
        S: b OK Nothing done
      `),
    { wrapStore: spoiled('accept', async () => [new OverQuota('full')]) },
  ))

test('Temporary trouble is temporary', () =>
  withWorld(
    (world) =>
      world.play(`
        ${loggedIn}
        C: a LIST "" *
        S: a NO [UNAVAILABLE] Not possible at the moment, try again later
        C: b STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 0)
        S: b OK Status told
      `),
    {
      wrapStore: spoiled('listMailboxes', async () => {
        throw new StoreUnavailable('disk on fire at /var/lib/secret')
      }),
    },
  ))

test('A server that stops says BYE where nothing is under way', () =>
  withWorld(async (world) => {
    const speaker = await speakTo(world.endpoint)
    speaker.send('a LOGIN bob hungry\r\nb IDLE\r\n')
    await speaker.expect('* OK <…>')
    await speaker.expect('a OK <…>')
    await speaker.expect('+ idling')
    world.drain()
    await speaker.expect('* BYE [UNAVAILABLE] Server is shutting down')
    await speaker.expectClosed()
    speaker.close()
  }))

test('A client that goes away in the midst of anything leaves nothing behind', () =>
  withWorld(
    async (world) => {
      for (const last of [
        'b APPEND INBOX {1000+}\r\nabc',
        'b IDLE\r\n',
        'b AUTHENTICATE PLAIN\r\n',
        'b SELECT INBOX\r\n',
        'b',
      ]) {
        const speaker = await speakTo(world.endpoint)
        speaker.send(`a LOGIN bob hungry\r\n${last}`)
        await speaker.expect('* OK <…>')
        await speaker.expect('a OK <…>')
        speaker.socket.destroy()
        await once(speaker.socket, 'close')
        await wait(20)
      }
      // The one session this account may have is free again.
      await world.play(loggedIn)
      assert.equal((await world.store.findMailbox(world.accountId, 'INBOX'))?.total, 0)
    },
    { limits: { connectionsPerAccount: 1 } },
  ))
