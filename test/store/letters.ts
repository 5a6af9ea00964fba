import { MessageScanner } from '../../src/message/scan.ts'
import type { StagedBody } from '../../src/store/body.ts'
import { type NewQueueEntry, noWishes } from '../../src/store/queue.ts'
import type { AcceptItem, Accepted, Filed, Filing, Store } from '../../src/store/store.ts'

/** A short letter as it is received. */
export function letter(subject: string, more = ''): string {
  return `From: alice@crepes.example\r\nTo: bob@hamburger.example\r\nSubject: ${subject}\r\n${more}\r\nHello\r\n`
}

export async function stage(store: Store, octets: Uint8Array): Promise<StagedBody> {
  const sink = store.openBody()
  // As from a socket: in pieces.
  for (let at = 0; at < octets.length; at += 65_536) await sink.write(octets.subarray(at, at + 65_536))
  return sink.finish()
}

export function filing(accountId: number, more: Partial<Filing> = {}): Filing {
  return {
    ...{ accountId, mailboxId: null, prefix: '', flags: 0, keywords: [] },
    ...{ internalDate: 1_770_000_000_000, journeyId: null },
    ...more,
  }
}

export async function itemOf(
  store: Store,
  text: string | Uint8Array,
  filings: readonly Filing[],
  queue: readonly NewQueueEntry[] = [],
): Promise<AcceptItem> {
  const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  const scanner = new MessageScanner()
  scanner.push(octets)
  return { body: await stage(store, octets), scan: scanner.finish(), filings, queue }
}

/** Accepts one item. @throws {Error} It was not accepted. */
export async function acceptOne(store: Store, item: AcceptItem): Promise<Accepted> {
  const [result] = await store.accept([item])
  if (result instanceof Error) throw result
  return result!
}

/** Puts one letter into one mailbox. */
export async function put(
  store: Store,
  accountId: number,
  more: Partial<Filing> = {},
  text = letter('hello'),
): Promise<Filed> {
  return (await acceptOne(store, await itemOf(store, text, [filing(accountId, more)]))).filed[0]!
}

export async function putMany(store: Store, accountId: number, count: number): Promise<Filed[]> {
  return Promise.all(Array.from({ length: count }, () => put(store, accountId)))
}

export function queueEntry(accountId: number, more: Partial<NewQueueEntry> = {}): NewQueueEntry {
  return {
    ...{
      accountId,
      reversePath: 'bob@hamburger.example',
      domain: 'crepes.example',
      prefix: 'Received: here\r\n',
    },
    recipients: [{ forwardPath: 'alice@crepes.example', orcpt: null, notify: null }],
    ...{ eightBit: false, smtpUtf8: false, envid: null, ret: null, journeyId: null, wishes: noWishes },
    ...{ nextAttemptAt: 1_000, expiresAt: 9_000_000 },
    ...more,
  }
}
