import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Begin } from './contract.ts'
import { letter, put } from './letters.ts'

const day = 24 * 60 * 60_000

export function threadContract(name: string, begin: Begin): void {
  test(`${name}: a reply joins the thread of what it answers, whichever comes first`, async (t) => {
    const { store, bob, alice } = await begin(t)
    const threadOf = async (subject: string, more: string, accountId = bob.accountId) => {
      const filed = await put(store, accountId, {}, letter(subject, more))
      return (await store.getEmails(accountId, [filed.emailId]))[0]!.threadId
    }
    const first = await threadOf('lunch', 'Message-ID: <1@x>\r\n')
    assert.equal(await threadOf('Re: lunch', 'Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n'), first)
    assert.equal(await threadOf('RE: Lunch', 'Message-ID: <4@x>\r\nReferences: <1@x> <3@x>\r\n'), first)
    assert.equal(await threadOf('Re: lunch', 'Message-ID: <3@x>\r\nReferences: <1@x>\r\n'), first)
    assert.notEqual(await threadOf('other', 'Message-ID: <5@x>\r\nIn-Reply-To: <1@x>\r\n'), first, 'subject')
    assert.notEqual(
      await threadOf('lunch', 'Message-ID: <6@x>\r\n'),
      first,
      'the subject alone is not enough',
    )
    const late = await threadOf('Re: tea', 'Message-ID: <8@x>\r\nIn-Reply-To: <7@x>\r\n', alice.accountId)
    assert.equal(await threadOf('tea', 'Message-ID: <7@x>\r\n', alice.accountId), late)
  })

  test(`${name}: a reply that refers to nothing joins what its addressee wrote under its subject`, async (t) => {
    const { store, bob } = await begin(t)
    const begun = Date.UTC(2026, 9, 1)
    let n = 0
    const threadOf = async (from: string, to: string, subject: string, days = 0, more = '') => {
      const head = `From: ${from}@x.example\r\nTo: ${to}\r\nSubject: ${subject}\r\nMessage-ID: <${++n}@x>\r\n`
      const at = { internalDate: begun + days * day }
      const { emailId } = await put(store, bob.accountId, at, `${head}${more}\r\nHello\r\n`)
      return (await store.getEmails(bob.accountId, [emailId]))[0]!.threadId
    }
    const first = await threadOf('ann', 'bob@x.example', 'hello')
    const others = {
      'another author, no reply': await threadOf('carl', 'bob@x.example', 'hello'),
      'no reply': await threadOf('ann', 'bob@x.example', 'hello, again', 1),
      'a reply to somebody else': await threadOf('carl', 'bob@x.example', 'Re: hello', 1),
      'a reply that refers to something': await threadOf(
        'dora',
        'ann@x.example',
        'Re: hello',
        1,
        'References: <0@x>\r\n',
      ),
      'another subject': await threadOf('dora', 'ann@x.example', 'Re: hello you', 1),
      'no subject': await threadOf('dora', 'ann@x.example', 'Re: ', 1),
    }
    for (const [what, thread] of Object.entries(others)) assert.notEqual(thread, first, what)
    assert.equal(new Set(Object.values(others)).size, Object.keys(others).length)
    assert.equal(
      await threadOf('bob', 'Eve <eve@x.example>, "Ann" <ANN@x.example>', 'RE: [team] Hello (fwd)', 2),
      first,
    )
    assert.equal(await threadOf('ann', 'bob@x.example', 'Re: hello', 29), first, 'to what bob wrote')
    const second = await threadOf('ann', 'bob@x.example', 'hello', 40)
    assert.notEqual(second, first)
    assert.equal(await threadOf('bob', 'ann@x.example', 'Re: hello', 45), second, 'the newer one')
    assert.equal((await threadOf('bob', 'undisclosed:;', 'Re: hello', 45)) === second, false)
    assert.equal(others['no reply'], await threadOf('bob', 'ann@x.example', 'Re: hello, again', 28))
    assert.notEqual(
      others['no reply'],
      await threadOf('dora', 'ann@x.example', 'Re: hello, again', 70),
      'too late',
    )
  })

  test(`${name}: a copied or moved message stays in its thread`, async (t) => {
    const { store, bob } = await begin(t)
    const trash = (await store.findMailbox(bob.accountId, 'Trash'))!
    const filed = await put(store, bob.accountId, {}, letter('lunch', 'Message-ID: <1@x>\r\n'))
    const threadIn = async (mailboxId: number) => {
      const index = await store.loadIndex(bob.accountId, mailboxId)
      const ids = [...index.emailIds.subarray(0, index.length)]
      index.release()
      return (await store.getEmails(bob.accountId, ids)).map((email) => email!.threadId)
    }
    const [thread] = await threadIn(1)
    await store.copy(bob.accountId, 1, [filed.uid], trash.mailboxId)
    await store.move(bob.accountId, 1, [filed.uid], trash.mailboxId)
    assert.deepEqual([await threadIn(1), await threadIn(trash.mailboxId)], [[], [thread, thread]])
    const answer = await put(store, bob.accountId, {}, letter('Re: lunch', 'In-Reply-To: <1@x>\r\n'))
    assert.equal((await store.getEmails(bob.accountId, [answer.emailId]))[0]!.threadId, thread)
  })
}
