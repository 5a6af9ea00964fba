/** A store with something of everything, for tests of backup and verify. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openStore } from '../../src/store/open.ts'
import { noWishes } from '../../src/store/queue.ts'
import type { Store } from '../../src/store/store.ts'
import { filing, itemOf, letter, put, queueEntry } from './letters.ts'

export function openAt(folder: string): Promise<Store> {
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  return openStore({ folder, limits: defaultLimits, surroundings })
}

export const largeLetter = Buffer.from(`${letter('large')}${'A line of a large letter.\r\n'.repeat(20_000)}`)

/**
 * Two accounts; letters with flags, keywords and prefixes, a copied, an expunged and a moved one, a queue, large bodies.
 *
 * @param large Of more than 256 KB: it has a file of its own.
 */
export async function fillStore(store: Store, large = largeLetter): Promise<{ bob: number; alice: number }> {
  await store.addDomain('hamburger.example')
  const bob = (await store.addAccount('bob@hamburger.example', 'hash')).accountId
  const alice = (await store.addAccount('alice@hamburger.example', null)).accountId
  await store.addAlias('all@hamburger.example', ['bob@hamburger.example', 'carol@elsewhere.example'])
  const projects = await store.createMailbox(bob, 'Projects/2026')
  for (let i = 0; i < 20; i++) {
    const more = {
      flags: i % 4,
      keywords: i % 3 === 0 ? ['$Work', 'later'] : [],
      internalDate: 1_770_000_000_000 + i,
    }
    const prefix = `Return-Path: <carol@elsewhere.example>\r\nReceived: from x by y; ${i}\r\n`
    await put(store, i % 5 === 4 ? alice : bob, { ...more, prefix }, letter(`letter ${i}`))
  }
  await store.accept([await itemOf(store, large, [filing(bob), filing(alice)], [queueEntry(bob)])])
  const wishes = { ...noWishes, requireTls: true, priority: 3 }
  await store.accept([
    await itemOf(store, letter('out'), [], [queueEntry(bob, { wishes }), queueEntry(alice)]),
  ])
  await store.addDomainKey({
    ...{ domain: 'hamburger.example', selector: '2026a-ed', algorithm: 'ed25519-sha256' },
    privateKey: '-----BEGIN PRIVATE KEY-----\nnot one that anybody uses\n-----END PRIVATE KEY-----\n',
    ...{ createdAt: 1_770_000_000_000, activeFrom: 1_770_000_000_000, retiredAt: null },
  })
  await store.backupDomains.add({ domain: 'crepes.example', primary: 'mail.crepes.example' })
  await store.copy(bob, 1, [1, 2], projects.mailboxId)
  await store.move(bob, 1, [3], projects.mailboxId)
  await store.expunge(bob, 1, [4])
  return { bob, alice }
}

/** Changes the tables of a store that is closed. */
export function alter(folder: string, ...statements: string[]): void {
  const db = new DatabaseSync(join(folder, 'shard-00/meta.db'), { defensive: false })
  for (const statement of statements) db.exec(statement)
  db.close()
}

export interface ShownMessage {
  readonly mailbox: string
  readonly uid: number
  readonly flags: number
  readonly keywords: readonly string[]
  readonly internalDate: number
  readonly text: string
}

/** All mail of an account as text, by mailbox and UID. */
export async function readAll(store: Store, accountId: number): Promise<ShownMessage[]> {
  const shown: ShownMessage[] = []
  for (const { mailboxId, name } of await store.listMailboxes(accountId)) {
    const index = await store.loadIndex(accountId, mailboxId)
    for (let row = 0; row < index.length; row++) {
      const [email] = await store.getEmails(accountId, [index.emailIds[row]!])
      const body = await store.readBody(email!.body, 0, email!.body.octets)
      shown.push({
        ...{ mailbox: name, uid: index.uids[row]!, flags: index.flags[row]! },
        keywords: index.keywordNames.filter((_, bit) => (index.keywords[row]! >>> bit) & 1),
        internalDate: index.internalDates[row]!,
        text: email!.prefix + Buffer.from(body).toString('latin1'),
      })
    }
    index.release()
  }
  return shown
}

export async function opened(t: TestContext, folder: string): Promise<Store> {
  const store = await openAt(folder)
  t.after(() => store.close())
  return store
}
