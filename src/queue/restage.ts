import type { BodyRef, StagedBody } from '../store/body.ts'
import type { NewQueueEntry, Settlement } from '../store/queue.ts'
import type { Accepted, Filing, Store } from '../store/store.ts'
import type { MessageScan } from '../message/scan.ts'
import { BodyUnreadable } from '../store/errors.ts'
import { MessageScanner, scanMessage } from '../message/scan.ts'

/** A body ready to be named by an `accept`, and what the scan found in it. */
export interface Restaged {
  readonly body: StagedBody
  readonly scan: MessageScan
  /** Forgets it; to be called when the accept failed. */
  abort(): void
}

const pieceOctets = 262_144

/**
 * Brings a queued body back to where an accept can file it. Memory stays at one piece, whatever the size.
 *
 * @throws {BodyUnreadable} @throws {StoreUnavailable}
 */
export async function restageBody(store: Store, body: BodyRef): Promise<Restaged> {
  const sink = store.openBody()
  const scanner = new MessageScanner()
  try {
    for (let offset = 0; offset < body.octets; ) {
      const piece = await store.readBody(body, offset, Math.min(pieceOctets, body.octets - offset))
      if (piece.length === 0) throw new BodyUnreadable('Body is shorter than its row says')
      scanner.push(piece)
      await sink.write(piece)
      offset += piece.length
    }
    return { body: await sink.finish(), scan: scanner.finish(), abort: () => sink.abort() }
  } catch (error) {
    sink.abort()
    throw error
  }
}

/** The same for octets that we made ourselves. @throws {StoreUnavailable} */
export async function stageOctets(store: Store, octets: Uint8Array): Promise<Restaged> {
  const sink = store.openBody()
  try {
    await sink.write(octets)
    return { body: await sink.finish(), scan: scanMessage(octets), abort: () => sink.abort() }
  } catch (error) {
    sink.abort()
    throw error
  }
}

/** One accept, all or nothing. @throws {StoreError} Nothing was changed, and the staged body is forgotten. */
export async function acceptStaged(
  store: Store,
  staged: Restaged,
  filings: readonly Filing[],
  queue: readonly NewQueueEntry[],
  settle: readonly Settlement[],
): Promise<Accepted> {
  try {
    const [accepted] = await store.accept([{ body: staged.body, scan: staged.scan, filings, queue, settle }])
    if (accepted === undefined) throw new Error('Store gave no answer to an accept')
    if (accepted instanceof Error) throw accepted
    return accepted
  } catch (error) {
    staged.abort()
    throw error
  }
}
