/**
 * Line ends on their way into the store, where mail has CRLF (RFC 5322 §2.1), and out of it, into files of Unix.
 *
 * Both ways leave alone what the other could not undo: a CR that is followed by CRLF stays with it, and LF after CR is
 * no bare LF. So `toCrlf(toLf(x))` is `x` with CRLF for each bare LF.
 */
const LF = 10
const CR = 13

/** Makes each bare LF a CRLF, in pieces cut anywhere. */
export class ToCrlf {
  #before = 0

  push(piece: Uint8Array): Uint8Array {
    let bare = 0
    let before = this.#before
    for (let i = 0; i < piece.length; i++) {
      const octet = piece[i]!
      if (octet === LF && before !== CR) bare++
      before = octet
    }
    if (bare === 0) {
      this.#before = before
      return piece
    }
    const out = Buffer.allocUnsafe(piece.length + bare)
    before = this.#before
    for (let i = 0, to = 0; i < piece.length; i++) {
      const octet = piece[i]!
      if (octet === LF && before !== CR) out[to++] = CR
      out[to++] = octet
      before = octet
    }
    this.#before = before
    return out
  }
}

/** Makes each CRLF an LF unless a CR stands before it, in pieces cut anywhere. */
export class ToLf {
  #before = 0
  /** A CR that may belong to a CRLF. */
  #held = false

  push(piece: Uint8Array): Uint8Array {
    const out = Buffer.allocUnsafe(piece.length + 1)
    let to = 0
    for (let i = 0; i < piece.length; i++) {
      const octet = piece[i]!
      if (this.#held) {
        this.#held = false
        if (octet !== LF || this.#before === CR) out[to++] = CR
        this.#before = CR
      }
      if (octet === CR) {
        this.#held = true
        continue
      }
      out[to++] = octet
      this.#before = octet
    }
    return out.subarray(0, to)
  }

  finish(): Uint8Array {
    const rest = this.#held ? Buffer.from([CR]) : Buffer.alloc(0)
    this.#held = false
    return rest
  }
}
