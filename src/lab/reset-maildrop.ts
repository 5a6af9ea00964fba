import type { Store } from '../store/store.ts'
import { MessageScanner } from '../message/scan.ts'
import { labDomains } from './scene.ts'
import { seedLetters } from './seed-letters.ts'

/**
 * Makes Bob's INBOX hold exactly the lecture's two letters, of 498 and 912 octets: nothing stands above them, not even a
 * Received field.
 *
 * @throws {StoreError}
 */
export async function resetMaildrop({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: { now(): number }
}): Promise<void> {
  const bob = await store.findAccount(labDomains[1].account.address)
  if (bob === null)
    throw new Error('Bob has no account: was he removed? posthorn account add makes a new one')
  const { accountId } = bob
  const inbox = await store.findMailbox(accountId, 'INBOX')
  if (inbox === null) throw new Error('Bob has no INBOX')
  const index = await store.loadIndex(accountId, inbox.mailboxId)
  const uids = Array.from(index.uids.subarray(0, index.length))
  index.release()
  if (uids.length > 0) await store.expunge(accountId, inbox.mailboxId, uids)
  // One after the other: the dialogue's letter 1 must get the lower UID.
  for (const letter of seedLetters()) await file(store, accountId, inbox.mailboxId, letter, clock.now())
}

async function file(
  store: Store,
  accountId: number,
  mailboxId: number,
  letter: Uint8Array,
  now: number,
): Promise<void> {
  const scanner = new MessageScanner()
  scanner.push(letter)
  const sink = store.openBody()
  await sink.write(letter)
  const filing = {
    accountId,
    mailboxId,
    prefix: '',
    flags: 0,
    keywords: [],
    internalDate: now,
    journeyId: null,
  }
  const item = { body: await sink.finish(), scan: scanner.finish(), filings: [filing], queue: [] }
  const [accepted] = await store.accept([item])
  if (accepted instanceof Error) throw accepted
}
