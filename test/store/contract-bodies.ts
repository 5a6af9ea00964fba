import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { BodyUnreadable } from '../../src/store/errors.ts'
import { inlineBodyOctets } from '../../src/store/body.ts'
import type { Begin } from './contract.ts'
import { acceptOne, filing, itemOf, queueEntry, stage } from './letters.ts'

function octetsOf(length: number): Buffer {
  const octets = Buffer.alloc(length, 'Subject: large\r\n\r\n')
  for (let i = 0; i + 8 < length; i += 997) octets.writeUInt32BE(i, i)
  return octets
}

export function bodyContract(name: string, begin: Begin): void {
  for (const length of [0, 1, 10_000, inlineBodyOctets, inlineBodyOctets + 1, 5_000_000]) {
    test(`${name}: a body of ${length} octets is read as it was written, from anywhere`, async (t) => {
      const { store, bob, reopen } = await begin(t)
      const octets = octetsOf(length)
      const item = await itemOf(store, octets, [filing(bob.accountId)])
      assert.equal(item.body.octets, length)
      assert.deepEqual(Buffer.from(item.body.hash), createHash('sha256').update(octets).digest())
      const { filed } = await acceptOne(store, item)
      for (const open of [async () => store, reopen]) {
        const opened = await open()
        const [email] = await opened.getEmails(bob.accountId, [filed[0]!.emailId])
        for (const [from, count] of [
          [0, length],
          [0, length + 100],
          [Math.floor(length / 2), 1_000],
          [Math.max(0, length - 1), 10],
          [length, 10],
          [length + 5, 10],
        ] as const) {
          const read = await opened.readBody(email!.body, from, count)
          assert.ok(octets.subarray(from, from + count).equals(read), `${from}+${count}`)
        }
      }
    })
  }

  test(`${name}: a body that is aborted leaves nothing, and one that was accepted stays`, async (t) => {
    const { store, bob } = await begin(t)
    const sink = store.openBody()
    await sink.write(octetsOf(400_000))
    sink.abort()
    sink.abort()
    await assert.rejects(async () => sink.finish())
    const finished = store.openBody()
    await finished.write(octetsOf(400_000))
    const body = await finished.finish()
    const { scan } = await itemOf(store, 'Subject: x\r\n\r\n', [])
    const { filed } = await acceptOne(store, { body, scan, filings: [filing(bob.accountId)], queue: [] })
    finished.abort()
    const [email] = await store.getEmails(bob.accountId, [filed[0]!.emailId])
    assert.equal((await store.readBody(email!.body, 0, 1e6)).length, 400_000)
  })

  test(`${name}: many small and large bodies at once do not mix`, async (t) => {
    const { store, bob } = await begin(t)
    const bodies = Array.from({ length: 60 }, (_, i) => {
      const octets = octetsOf(i % 10 === 0 ? 600_000 : 500 + i * 37)
      octets.fill(i, 20, 200)
      return octets
    })
    const filed = await Promise.all(
      bodies.map(async (octets) => {
        const item = await itemOf(store, octets, [filing(bob.accountId)], [queueEntry(bob.accountId)])
        return (await acceptOne(store, item)).filed[0]!
      }),
    )
    const emails = await store.getEmails(
      bob.accountId,
      filed.map(({ emailId }) => emailId),
    )
    for (const [i, email] of emails.entries()) {
      assert.ok(bodies[i]!.equals(await store.readBody(email!.body, 0, 1e6)), String(i))
    }
    const queued = await store.listQueue(1_000)
    assert.equal(queued.length, 60)
    assert.equal((await store.readBody(queued[0]!.body, 0, 1e6)).length, queued[0]!.body.octets)
  })

  test(`${name}: a body that is not there is unreadable, and nothing else`, async (t) => {
    const { store, bob } = await begin(t)
    const body = { accountId: bob.accountId, blobId: 12_345, octets: 10 }
    await assert.rejects(store.readBody(body, 0, 10), BodyUnreadable)
    assert.equal((await stage(store, octetsOf(10))).octets, 10)
  })
}
