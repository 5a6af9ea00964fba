/** What a full account hears, RFC 5530 §3 and RFC 9208 §4.3.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openImapWorld, selected } from './imap-world.ts'

test('APPEND and COPY into a full account are refused, MOVE and EXPUNGE are not', async () => {
  const world = await openImapWorld()
  try {
    await world.deliver('Subject: one\r\n\r\nHello\r\n')
    await world.deliver('Subject: two\r\n\r\nHello\r\n')
    await world.store.setQuota('bob@hamburger.edu', { octets: null, messages: 2 })
    await world.play(`
      ${selected(2)}
      C: a APPEND INBOX {18+}
      C: Subject: hello
      C:
      C:
      S: a NO [OVERQUOTA] The account is full
      C: b COPY 1 Trash
      S: b NO [OVERQUOTA] The account is full
      C: c MOVE 1 Trash
      S: * OK [COPYUID <…> 1 1] Moved
      S: * 1 EXPUNGE
      S: c OK Moved
    `)
    assert.equal((await world.store.getAccount(world.accountId))!.usedMessages, 2)
  } finally {
    await world.close()
  }
})
