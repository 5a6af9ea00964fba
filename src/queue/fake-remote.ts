/** A scripted SMTP server on loopback, for the queue's tests: it says what it is told, and remembers what it heard. */
import { createServer, type Server, type Socket } from 'node:net'

export interface RemoteScript {
  readonly greeting?: string
  /** Keywords offered after EHLO. */
  readonly extensions?: readonly string[]
  /** Each is given what came, and returns the reply without CRLF; null falls silent for good, 'drop' hangs up. */
  mail?(reversePath: string): string | null
  rcpt?(forwardPath: string): string | null
  endOfData?(letter: Letter): string | null
  starttls?(): string | null
}

export interface Letter {
  readonly reversePath: string
  readonly recipients: readonly string[]
  /** Dots unstuffed, CRLF kept. */
  readonly text: string
}

export interface FakeRemote {
  readonly port: number
  /** May be replaced while it runs. */
  script: RemoteScript
  /** Those it said 2yz to. */
  readonly letters: readonly Letter[]
  /** Command lines, all connections. */
  readonly lines: readonly string[]
  readonly connections: number
  readonly open: number
  readonly mostOpen: number
  close(): Promise<void>
}

export async function startRemote(script: RemoteScript = {}): Promise<FakeRemote> {
  const remote = new Remote(script)
  await remote.listen()
  return remote
}

class Remote implements FakeRemote {
  script: RemoteScript
  readonly letters: Letter[] = []
  readonly lines: string[] = []
  connections = 0
  mostOpen = 0
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(script: RemoteScript) {
    this.script = script
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get open(): number {
    return this.#sockets.size
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    this.mostOpen = Math.max(this.mostOpen, this.#sockets.size)
    const conversation = new Conversation(this, socket)
    socket.on('data', (chunk) => conversation.push(chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    conversation.say(this.script.greeting ?? '220 remote.example ESMTP')
  }
}

class Conversation {
  readonly #remote: Remote
  readonly #socket: Socket
  #buffer = ''
  #inData = false
  /** It has said nothing where a reply was due, and never says anything again. */
  #silent = false
  /** After 220 to STARTTLS: what comes is no command. */
  #handshaking = false
  #reversePath = ''
  #recipients: string[] = []

  constructor(remote: Remote, socket: Socket) {
    this.#remote = remote
    this.#socket = socket
  }

  say(reply: string | null): void {
    if (reply === null) this.#silent = true
    if (this.#silent) return
    if (reply === 'drop') this.#socket.destroy()
    else if (reply !== null) this.#socket.write(`${reply}\r\n`, 'latin1')
    if (reply?.startsWith('421') || reply?.startsWith('554 5.0.0 Go')) this.#socket.end()
  }

  push(text: string): void {
    if (this.#handshaking) {
      this.#socket.destroy()
      return
    }
    this.#buffer += text
    while (!this.#silent) {
      if (this.#inData) {
        const end = this.#buffer.startsWith('.\r\n') ? 0 : this.#buffer.indexOf('\r\n.\r\n')
        if (end < 0) return
        const data = this.#buffer.startsWith('.\r\n') ? '' : this.#buffer.slice(0, end + 2)
        this.#buffer = this.#buffer.slice(data === '' ? 3 : end + 5)
        this.#endData(data.replace(/^\.\./gm, '.'))
        continue
      }
      const end = this.#buffer.indexOf('\r\n')
      if (end < 0) return
      const line = this.#buffer.slice(0, end)
      this.#buffer = this.#buffer.slice(end + 2)
      this.#remote.lines.push(line)
      this.#command(line)
    }
  }

  #command(line: string): void {
    const { script } = this.#remote
    const path = /<(.*?)>/.exec(line)?.[1] ?? ''
    const verb = line.split(' ')[0]!.toUpperCase()
    if (verb === 'EHLO') {
      const lines = ['remote.example', ...(script.extensions ?? ['PIPELINING', '8BITMIME'])]
      this.say(lines.map((each, n) => `250${n === lines.length - 1 ? ' ' : '-'}${each}`).join('\r\n'))
    } else if (verb === 'MAIL') {
      this.#reversePath = path
      this.#recipients = []
      this.say(script.mail === undefined ? '250 2.1.0 Ok' : script.mail(path))
    } else if (verb === 'RCPT') {
      const reply = script.rcpt === undefined ? '250 2.1.5 Ok' : script.rcpt(path)
      if (reply?.startsWith('2')) this.#recipients.push(path)
      this.say(reply)
    } else if (verb === 'DATA') {
      this.#inData = this.#recipients.length > 0
      this.say(this.#inData ? '354 Go ahead' : '503 5.5.1 No recipients')
    } else if (verb === 'STARTTLS') {
      const reply = script.starttls === undefined ? '454 4.7.0 Not now' : script.starttls()
      this.say(reply)
      this.#handshaking = reply?.startsWith('220') === true
    } else if (verb === 'QUIT') {
      this.say('221 2.0.0 Bye')
      this.#socket.end()
    } else this.say('250 Ok')
  }

  #endData(text: string): void {
    this.#inData = false
    const { script, letters } = this.#remote
    const letter = { reversePath: this.#reversePath, recipients: this.#recipients, text }
    const reply = script.endOfData === undefined ? '250 2.0.0 Taken' : script.endOfData(letter)
    if (reply?.startsWith('2')) letters.push(letter)
    this.say(reply)
  }
}
