/**
 * One scan by clamd: `zINSTREAM NUL`, then pieces of `uint32 length` and octets, one of length 0 as the end; one line
 * comes back, ended by NUL. Past its StreamMaxLength clamd answers at once and closes with octets unread, which may cost us
 * the answer: a bound of ours that is no larger avoids that.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../../base/clock.ts'

export type ScanAnswer =
  | { readonly kind: 'clean' | 'too-large' }
  | { readonly kind: 'found'; readonly name: string }

/** clamd could not say; nothing follows for the message. */
export class ScanFault extends Error {
  constructor(problem: string) {
    super(`clamd ${problem}`)
    this.name = 'ScanFault'
  }
}

/** An answer is a line of a few words. */
const answerOctets = 4_096

/** @throws {ScanFault} An error of clamd's, or no answer of its kind. */
export function readScanAnswer(line: string): ScanAnswer {
  const text = line.trim()
  if (/^stream: OK$/.test(text)) return { kind: 'clean' }
  const found = /^stream: (.+) FOUND$/.exec(text)?.[1]
  // The name comes from a database that others make: it is told to strangers, so only what is printable and short.
  if (found !== undefined) return { kind: 'found', name: found.replace(/[^\x21-\x7e]/g, '_').slice(0, 100) }
  if (/INSTREAM size limit exceeded/i.test(text)) return { kind: 'too-large' }
  throw new ScanFault(`says ${JSON.stringify(text.slice(0, 200))}`)
}

export class Scan {
  readonly #socket: Socket
  readonly #answer: Promise<string>
  readonly #cancel: () => void
  readonly #clock: Clock

  /** @param socket Is ours from now on. */
  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#answer = promise
    // Asked for later, or never.
    promise.catch(() => {})
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\0')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > answerOctets) reject(new ScanFault('answers without an end'))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new ScanFault('closed the connection')))
    this.#cancel = () => reject(new ScanFault('is no longer asked'))
    socket.write('zINSTREAM\0')
  }

  /**
   * @param octets Handed to the socket as they are.
   * @returns When clamd has taken enough of it; at once after it has answered: what follows is not read by it.
   */
  write(octets: Uint8Array): Promise<void> | undefined {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(octets.length)
    this.#socket.write(length)
    if (this.#socket.destroyed || this.#socket.write(octets)) return undefined
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
      void this.#answer.then(done, done)
    })
  }

  /** Says that this was all. @param timeoutMs From now on. @throws {ScanFault} */
  async answer(timeoutMs: number): Promise<ScanAnswer> {
    this.#socket.write(Buffer.alloc(4))
    const cancel = this.#clock.after(timeoutMs, () => this.#cancel())
    try {
      return readScanAnswer(await this.#answer)
    } finally {
      cancel()
      this.destroy()
    }
  }

  destroy(): void {
    this.#cancel()
    this.#socket.destroy()
  }
}
