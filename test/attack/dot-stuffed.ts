import { DotStuffer } from '../../src/smtp/client/dot-stuffing.ts'

/** What our client writes after 354 for a message that it gets in these pieces, one char per octet. */
export function dotStuffed(pieces: readonly string[]): string {
  const stuffer = new DotStuffer()
  const written = pieces.map((piece) =>
    Buffer.from(stuffer.encode(Buffer.from(piece, 'latin1'))).toString('latin1'),
  )
  return written.join('') + stuffer.end()
}
