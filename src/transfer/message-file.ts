import { closeSync, futimesSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { MessageOctets } from './target.ts'

/**
 * Writes a file of one message, in whose place there may be half of one.
 *
 * @param convert What becomes of its octets.
 * @param dateMs Its modification time.
 */
export async function writeMessageFile(
  path: string,
  octets: MessageOctets,
  convert: { push(piece: Uint8Array): Uint8Array; finish(): Uint8Array },
  dateMs: number,
): Promise<void> {
  const seconds = dateMs / 1_000
  if (octets instanceof Uint8Array) {
    // A command has nobody to serve meanwhile, and five turns of the thread pool cost more than the calls themselves.
    const file = openSync(path, 'w', 0o600)
    try {
      writeAll(file, convert.push(octets))
      writeAll(file, convert.finish())
      futimesSync(file, seconds, seconds)
    } finally {
      closeSync(file)
    }
    return
  }
  const handle = await open(path, 'w', 0o600)
  try {
    for await (const piece of octets) await handle.appendFile(convert.push(piece))
    await handle.appendFile(convert.finish())
    await handle.utimes(seconds, seconds)
  } finally {
    await handle.close()
  }
}

function writeAll(file: number, octets: Uint8Array): void {
  for (let at = 0; at < octets.length; ) at += writeSync(file, octets, at)
}
