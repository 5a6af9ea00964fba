/** An IMAP client that only counts what it is answered, so that it costs little beside the server. */
import { connect, type Socket } from 'node:net'

export interface Answer {
  /** All of it, the tagged one too. */
  readonly lines: number
  readonly octets: number
  /** Its last 200 octets. */
  readonly end: string
}

export class ImapClient {
  readonly #socket: Socket
  #lines = 0
  #octets = 0
  #end = ''
  #tag = '* OK'
  #n = 0
  #answered = Promise.withResolvers<Answer>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#answered.reject(new Error(`the server closed: ${this.#end}`)))
  }

  static async connect(port: number, user: string, password: string): Promise<ImapClient> {
    const client = new ImapClient(connect({ host: '127.0.0.1', port, noDelay: true }))
    await client.#answered.promise
    await client.command(`LOGIN ${user} ${password}`)
    return client
  }

  /** One command without literals. @throws {Error} It was not answered OK. */
  command(line: string): Promise<Answer> {
    this.#tag = `a${++this.#n}`
    this.#lines = 0
    this.#octets = 0
    this.#end = ''
    this.#answered = Promise.withResolvers()
    this.#socket.write(`${this.#tag} ${line}\r\n`)
    return this.#answered.promise
  }

  close(): void {
    this.#answered.promise.catch(() => {})
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#lines++
    this.#octets += chunk.length
    this.#end = (this.#end + chunk.subarray(-200).toString('latin1')).slice(-200)
    if (!this.#end.endsWith('\r\n')) return
    const last = this.#end.slice(this.#end.lastIndexOf('\n', this.#end.length - 2) + 1)
    if (!last.startsWith(`${this.#tag} `)) return
    const answer = { lines: this.#lines, octets: this.#octets, end: this.#end }
    if (/^\S+ OK/.test(last)) this.#answered.resolve(answer)
    else this.#answered.reject(new Error(last.trim()))
  }
}
