/** What of a letter goes back with a report about it. */
import type { QueueEntry } from '../store/queue.ts'
import type { Action } from './verdict.ts'
import type { QueueWorld } from './world.ts'

/** Octets of the original's header that go back with a report. */
export const returnedHeaderOctets = 32_768

export interface Original {
  readonly octets: Buffer
  /** The whole message, not only its header. */
  readonly whole: boolean
}

/**
 * RFC 3461 §6.2: all of it when the sender asked so (RET=FULL), when it failed, and when it is no longer than
 * `limits.returnedMessageOctets`; else its header. RFC 8689 §5: never all of a message that requires TLS.
 *
 * @returns Null when it cannot be read.
 */
export async function originalOf(
  world: QueueWorld,
  entry: QueueEntry,
  action: Action,
): Promise<Original | null> {
  const { ret, wishes, body } = entry
  const octets = entry.prefix.length + body.octets
  const wanted = ret === 'FULL' && action === 'failed' && !wishes.requireTls && !wishes.binary
  const whole = wanted && octets <= world.limits.returnedMessageOctets
  const prefix = Buffer.from(entry.prefix, 'latin1')
  try {
    const wantedOctets = whole ? body.octets : Math.min(body.octets, returnedHeaderOctets)
    const pieces: Uint8Array[] = [prefix]
    for (let offset = 0; offset < wantedOctets; ) {
      const piece = await world.store.readBody(body, offset, wantedOctets - offset)
      if (piece.length === 0) break
      pieces.push(piece)
      offset += piece.length
    }
    const read = Buffer.concat(pieces)
    return whole && read.length === octets
      ? { octets: read, whole: true }
      : { octets: cutHeader(read), whole: false }
  } catch (error) {
    world.log.warn('cannot read the letter that a report is about', { queueId: entry.queueId, error })
    return prefix.length === 0 ? null : { octets: cutHeader(prefix), whole: false }
  }
}

/** What stands above the first empty line of the letter as it was queued. */
function cutHeader(octets: Buffer): Buffer {
  const end = octets.indexOf('\r\n\r\n')
  if (end >= 0 && end + 2 <= returnedHeaderOctets) return octets.subarray(0, end + 2)
  // Whole lines only; an empty line first means that there is no header at all.
  if (octets.indexOf('\r\n') === 0) return Buffer.alloc(0)
  const bounded = octets.subarray(0, returnedHeaderOctets)
  return bounded.subarray(0, bounded.lastIndexOf('\r\n') + 2)
}
