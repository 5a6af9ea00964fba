import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGzip } from 'node:zlib'

/** Compresses text piece by piece, each in a turn of its own: the sockets of this thread are served in between. */
export async function gzipPieces(pieces: Iterable<string>): Promise<Buffer> {
  const gzip = createGzip()
  const chunks: Buffer[] = []
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = once(gzip, 'end')
  for (const piece of pieces) {
    if (!gzip.write(piece)) await once(gzip, 'drain')
    else await nextTurn()
  }
  gzip.end()
  await ended
  return Buffer.concat(chunks)
}

/** Octets of base64 with a line end for every 76: what an attachment comes to in a letter. */
export function mailedOctets(octets: number): number {
  const encoded = Math.ceil(octets / 3) * 4
  return encoded + 2 * Math.ceil(encoded / 76)
}
