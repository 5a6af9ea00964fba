/**
 * One TCP connection as the protocol rooms see it: octets in, octets out, TLS put underneath, one idle timer.
 *
 * Output is gathered and written once a turn. While `pause` holds, nothing is read, so a peer that sends faster than we
 * work is slowed by TCP itself. After `startTls` only what came through TLS is delivered.
 */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import { freePlace, type Place } from './connection-gate.ts'

export interface TlsFacts {
  readonly version: string
  readonly cipher: string
  /** SNI the client asked for. */
  readonly serverName: string | null
  /** A ticket of an earlier session was taken. */
  readonly resumed?: boolean
  /** Absent: the client showed no certificate, or none that we believe. */
  readonly client?: ClientCertificate
}

/** A client's certificate that was verified. */
export type ClientCertificate = {
  readonly subject: string
  /** Addresses of the accounts it stands for: who may log in by EXTERNAL, RFC 4422 appendix A. */
  readonly accounts: readonly string[]
}

/** What the server's side of a handshake goes by. */
export interface TlsTerms {
  readonly context: SecureContext
  /** For the name that the client asks for; null: `context` whatever it is. */
  readonly contextFor: ((serverName: string) => SecureContext) | null
  /** ALPN name of what is spoken here: a client that offers others only is turned away, RFC 7301 §3.2. */
  readonly protocol: string | null
  /** Told how each handshake ended. */
  readonly ended?: (outcome: 'full' | 'resumed' | 'failed') => void
  /** Accounts that a verified client certificate stands for; null: none is asked for. */
  readonly identify: ((certificate: X509Certificate) => Promise<readonly string[]>) | null
}

export interface PeerHandlers {
  data(chunk: Uint8Array): void
  /** The peer sent FIN; we may still write. */
  end(): void
  idle(): void
  /** Once, at the very end, whatever the reason; `error` when it was one. */
  close(error: Error | null): void
}

/** How long a peer may take to close after we have. */
const lingerMs = 5_000

const nothing: PeerHandlers = { data() {}, end() {}, idle() {}, close() {} }

export class Peer {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** What it takes up among the server's connections. */
  readonly place: Place
  #socket: Socket
  #handlers: PeerHandlers = nothing
  #pending: (string | Uint8Array)[] = []
  #flushScheduled = false
  #paused = false
  #closed = false
  #error: Error | null = null
  #tls: TlsFacts | null = null
  #idleMs = 0
  #ended = false
  #cancelFarewell: () => void = () => {}

  constructor(socket: Socket, place: Place = freePlace()) {
    this.#socket = socket
    this.place = place
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '')
    this.remotePort = socket.remotePort ?? 0
    this.localAddress = plainAddress(socket.localAddress ?? '')
    this.localPort = socket.localPort ?? 0
    socket.setNoDelay(true)
    this.#listen(socket)
  }

  get tls(): TlsFacts | null {
    return this.#tls
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Octets given to `write` that the peer has not taken yet. */
  get waitingOctets(): number {
    return this.#socket.writableLength + this.#pending.reduce((sum, piece) => sum + piece.length, 0)
  }

  /** `address:port` of both ends, for journeys. */
  get remoteName(): string {
    return endpointName(this.remoteAddress, this.remotePort)
  }

  get localName(): string {
    return endpointName(this.localAddress, this.localPort)
  }

  handle(handlers: PeerHandlers): void {
    this.#handlers = handlers
  }

  /** Calls `idle` when nothing has come or gone for so long; 0 turns it off. */
  setIdleTimeout(ms: number): void {
    this.#idleMs = ms
    this.#socket.setTimeout(ms)
  }

  /** @param data A string has one char per octet. Octets are not copied. */
  write(data: string | Uint8Array): void {
    this.gather(data)
    if (this.#flushScheduled || this.#pending.length === 0) return
    this.#flushScheduled = true
    // Not a microtask: the answers to commands that were pipelined become ready in several of them.
    setImmediate(() => {
      this.#flushScheduled = false
      this.flush()
    })
  }

  /** As `write`, for those who flush when they have said what there is to say. */
  gather(data: string | Uint8Array): void {
    if (this.#closed || this.#ended) return
    const pending = this.#pending
    const last = pending.length - 1
    // An index of -1 is a name to V8, and slow.
    if (last >= 0 && typeof data === 'string' && typeof pending[last] === 'string') pending[last] += data
    else pending.push(data)
  }

  /** Hands what has been gathered to the system now. */
  flush(): void {
    const pending = this.#pending
    if (pending.length === 0 || this.#closed) return
    this.#pending = []
    const one = pending.length === 1
    if (!one) this.#socket.cork()
    for (const piece of pending) {
      if (typeof piece === 'string') this.#socket.write(piece, 'latin1')
      else this.#socket.write(piece)
    }
    if (!one) this.#socket.uncork()
  }

  /** Resolves when the system has taken enough of what was written; at once when it has already, or at the end. */
  drained(): Promise<void> {
    this.flush()
    if (this.#closed || !this.#socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    // After `end` it is not for others to say when reading goes on.
    if (!this.#paused || this.#ended) return
    this.#paused = false
    this.#socket.resume()
  }

  /**
   * The server's side of a TLS handshake on this connection. What was written before goes out in the clear first.
   *
   * The costly part comes with the client's first octets. So these are waited for, and then the handshake waits for a
   * turn of its own: a hundred of them that arrive together hold nobody up.
   *
   * @param timeoutMs For the whole handshake, however the octets drip.
   * @param early Octets of the handshake that have been read already, with what came before them.
   * @throws {Error} The handshake failed or took too long; the connection is closed.
   */
  startTls(terms: TlsTerms, timeoutMs: number, early?: Uint8Array): Promise<TlsFacts> {
    this.flush()
    const plain = this.#socket
    plain.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
    plain.removeAllListeners('error').removeAllListeners('timeout')
    plain.setTimeout(0)
    this.#paused = false
    return new Promise((resolve, reject) => {
      let over = false
      const finish = (error: Error | null): void => {
        over = true
        clearTimeout(timer)
        terms.ended?.(error !== null ? 'failed' : this.#tls?.resumed === true ? 'resumed' : 'full')
        if (error === null) return
        this.#socket.destroy()
        plain.destroy()
        this.#finish(error)
        reject(error)
      }
      const timer = setTimeout(() => finish(new Error('TLS handshake took too long')), timeoutMs)
      const gone = (): void => finish(new Error('Connection closed during the TLS handshake'))
      plain.once('error', finish)
      plain.once('close', gone)
      plain.once('end', gone)
      if (early !== undefined && early.length > 0) plain.pause().unshift(early)
      whenOctetsCame(plain, () => {
        this.place.handshakes.run(() => {
          if (over || this.#closed) return finish(new Error('Connection closed during the TLS handshake'))
          plain.off('error', finish).off('close', gone).off('end', gone)
          this.#shakeHands(plain, terms, finish, () => {
            finish(null)
            resolve(this.#tls!)
          })
        })
      })
    })
  }

  #shakeHands(plain: Socket, terms: TlsTerms, fail: (error: Error) => void, done: () => void): void {
    const secure = serverSocket(plain, terms)
    this.#socket = secure
    const gone = (): void => fail(new Error('Connection closed during the TLS handshake'))
    secure.once('error', fail)
    secure.once('close', gone)
    const arrived = (facts: TlsFacts): void => {
      if (this.#closed) return
      secure.off('error', fail)
      secure.off('close', gone)
      this.#tls = facts
      this.#listen(secure)
      secure.setTimeout(this.#idleMs)
      done()
    }
    secure.once('secure', () => {
      const facts = factsOf(secure)
      const certificate = terms.identify === null ? null : verifiedCertificate(secure)
      // Without a certificate at once: what follows must not wait for anything.
      if (terms.identify === null || certificate === null) {
        arrived(facts)
        return
      }
      terms
        .identify(certificate)
        .then((accounts) => arrived({ ...facts, client: { subject: certificate.subject, accounts } }), fail)
    })
  }

  /**
   * Writes what is waiting, then FIN. A peer may take its time over what is waiting as long as it takes some of it, and
   * nothing is read meanwhile; then it has `ms` to close, however much it goes on sending.
   */
  end(ms = lingerMs): void {
    this.flush()
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#socket.pause()
    if (this.waitingOctets > 0) this.setIdleTimeout(ms)
    this.#socket.end(() => {
      if (this.#closed) return
      this.#socket.resume()
      this.#cancelFarewell = this.place.farewells.after(ms, () => this.destroy())
    })
  }

  /**
   * As `end`, for a peer that has taken its leave: it sends nothing more, so nothing is read. What the system has taken it
   * delivers without us, before its FIN.
   */
  leave(): void {
    this.flush()
    // TLS has an end of its own, RFC 8446 §6.1.
    if (this.#tls !== null || this.waitingOctets > 0) this.end()
    else this.destroy()
  }

  /** Ends at once; what is waiting is lost. */
  destroy(): void {
    this.#socket.destroy()
    this.#finish(this.#error)
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#handlers.data(chunk))
    socket.on('end', () => this.#handlers.end())
    socket.on('timeout', () => this.#handlers.idle())
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('close', () => this.#finish(this.#error))
  }

  #finish(error: Error | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#cancelFarewell()
    this.#pending = []
    this.#handlers.close(error)
    this.#handlers = nothing
  }
}

/** Calls back once octets lie in the socket's own buffer; they stay there. */
function whenOctetsCame(socket: Socket, then: () => void): void {
  let came = false
  // It stays on: without a listener the socket would flow, and what lies in its buffer be lost.
  socket.on('readable', () => {
    if (came) return
    came = socket.readableLength > 0
    // At the end of the input it is readable as well: reading nothing then brings the end out.
    if (came) then()
    else socket.read()
  })
}

function serverSocket(plain: Socket, { context, contextFor, protocol, identify }: TlsTerms): TLSSocket {
  return new TLSSocket(plain, {
    isServer: true,
    secureContext: context,
    ...(contextFor === null
      ? {}
      : { SNICallback: (name, done) => done(null, name === '' ? context : contextFor(name)) }),
    // RFC 7301 §3.2, and what ALPACA was about: a browser's handshake must not end at a mail server.
    ...(protocol === null ? {} : { ALPNProtocols: [protocol] }),
    // A client without one is welcome to its password.
    ...(identify === null ? {} : { requestCert: true, rejectUnauthorized: false }),
  })
}

function factsOf(secure: TLSSocket): TlsFacts {
  const cipher = secure.getCipher()
  return {
    version: secure.getProtocol() ?? 'unknown',
    cipher: cipher.standardName ?? cipher.name,
    serverName: typeof secure.servername === 'string' ? secure.servername : null,
    ...(secure.isSessionReused() ? { resumed: true } : {}),
  }
}

/** The client's certificate when OpenSSL found its chain, dates and purpose right; null otherwise. */
function verifiedCertificate(secure: TLSSocket): X509Certificate | null {
  const certificate = secure.getPeerX509Certificate()
  // Only tls.Server asks this for us, and it wants to own the port. Without an answer nobody is believed.
  const handle = (secure as unknown as { _handle?: { verifyError?: () => Error | null } | null })._handle
  if (certificate === undefined || typeof handle?.verifyError !== 'function') return null
  if (handle.verifyError() !== null) return null
  // A resumed session was verified when it began.
  return Date.parse(certificate.validTo) > Date.now() ? certificate : null
}

/** `127.0.0.1` instead of `::ffff:127.0.0.1`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

export function endpointName(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
