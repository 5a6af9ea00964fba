/** A load of letters over kept SMTP connections: for crash tests and benchmarks. */
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../src/base/config.ts'

export interface LoadOptions {
  readonly endpoint: Endpoint
  readonly sessions: number
  /** Whom the n-th letter is for. */
  recipient(n: number): string
  /** Octets of a letter, header included; at least 200. */
  readonly octets: number
  /** Sent each time instead of a made-up letter: signed once. Lines end with CRLF and none begins with a dot. */
  readonly message?: string
  /** Letters altogether; Infinity goes on until the server is gone or `stop` is called. */
  readonly letters: number
  /** Number of the first letter; it stands in `X-Number`. */
  readonly first?: number
  /** Called when a letter has been answered 250. */
  onAccepted?(n: number): void
  /** Called when a letter's last dot goes out. */
  onSent?(n: number): void
}

export interface Load {
  /** Resolves when all letters are answered or no connection is left. */
  readonly ended: Promise<void>
  stop(): void
}

export function startLoad(options: LoadOptions): Load {
  let next = options.first ?? 1
  const last = next + options.letters - 1
  let stopped = false
  const take = (): number | null => (stopped || next > last ? null : next++)
  const sessions = Array.from({ length: options.sessions }, () => runSession(options, take))
  return {
    ended: Promise.all(sessions).then(() => {}),
    stop() {
      stopped = true
    },
  }
}

function letter(n: number, octets: number): string {
  const header = `From: <alice@crepes.example>\r\nTo: <bob@hamburger.example>\r\nSubject: Letter ${n}\r\nX-Number: ${n}\r\nMessage-ID: <${n}@crepes.example>\r\n\r\n`
  const line = `${'All work and no play makes a dull letter. '.repeat(2).slice(0, 74)}\r\n`
  const lines = Math.max(1, Math.ceil((octets - header.length) / line.length))
  return header + line.repeat(lines)
}

/** One connection: hello, then letter after letter, each in two round trips. */
function runSession(options: LoadOptions, take: () => number | null): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect({
      host: options.endpoint.address,
      port: options.endpoint.port,
      noDelay: true,
    })
    let buffer = ''
    /** Codes that are still expected before the next step. */
    let step: 'greeting' | 'hello' | 'envelope' | 'message' | 'quit' = 'greeting'
    let current = 0
    let replies = 0
    const begin = (): void => {
      const n = take()
      if (n === null) {
        step = 'quit'
        socket.end('QUIT\r\n')
        return
      }
      current = n
      step = 'envelope'
      replies = 0
      socket.write(`MAIL FROM:<alice@crepes.example>\r\nRCPT TO:<${options.recipient(n)}>\r\nDATA\r\n`)
    }
    const onReply = (code: string): void => {
      if (step === 'greeting') {
        step = 'hello'
        socket.write('EHLO load.example\r\n')
      } else if (step === 'hello') begin()
      else if (step === 'envelope') {
        if (code !== '250' && code !== '354') return void socket.destroy()
        if (++replies < 3) return
        step = 'message'
        options.onSent?.(current)
        socket.write(`${options.message ?? letter(current, options.octets)}.\r\n`, 'latin1')
      } else if (step === 'message') {
        if (code === '250') options.onAccepted?.(current)
        begin()
      }
    }
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1')
      for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
        const line = buffer.slice(0, end)
        buffer = buffer.slice(end + 2)
        if (line[3] !== '-') onReply(line.slice(0, 3))
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
  })
}
