/** What the lecture's tests share: an open Lab, Alice's hand, Bob's agents, and patience. */
import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import type { Endpoint } from '../../src/base/config.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { WireLine } from '../../src/journey/event.ts'
import type { Way } from '../../src/cli/way/merge.ts'
import type { ReadyLine } from '../../src/daemon/ready-line.ts'
import type { Scene } from '../../src/lab/scene.ts'
import { type Lab, startLab } from '../../src/lab/start-lab.ts'
import { endpointOf, type Ran, runProgram } from '../harness/lab.ts'
import { speakTo } from '../harness/replay.ts'
import { type Cleanup, temporaryFolder } from '../harness/temp.ts'

export interface Stage {
  readonly lab: Lab
  /** Under which `posthorn` commands find this Lab, and nothing of the person who runs the tests. */
  readonly env: Record<string, string>
}

const waitMs = 15_000
const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

/** The Lab in this process, on free ports. */
export async function openStage(t: Cleanup, scene: Scene): Promise<Stage> {
  const folder = temporaryFolder(t)
  const env = { HOME: folder, XDG_RUNTIME_DIR: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder }
  process.env['XDG_RUNTIME_DIR'] = folder
  const lab = await startLab({
    surroundings: { clock: systemClock, random: systemRandom, log: silentLog },
    ...{ scene, folder: null, basePort: 0, reset: false, stop() {} },
  })
  t.after(() => lab.close(1_000))
  return { lab, env }
}

/** Runs a command of ours in a process of its own, as a person types it. */
export function posthorn(env: Record<string, string>, ...args: string[]): Promise<Ran> {
  const command = ['--disable-warning=ExperimentalWarning', main, ...args]
  return runProgram(process.execPath, command, { env: { POSTHORN_AS: '', ...env }, cwd: env['HOME']! })
}

/** What it prints, when it succeeds. */
export async function says(env: Record<string, string>, ...args: string[]): Promise<string> {
  const ran = await posthorn(env, ...args)
  assert.equal(ran.code, 0, `posthorn ${args.join(' ')}\n${ran.stdout}${ran.stderr}`)
  return ran.stdout
}

export async function saysJson<T>(env: Record<string, string>, ...args: string[]): Promise<T> {
  return JSON.parse(await says(env, ...args, '--json')) as T
}

/** Looks again and again, until there is something to see. */
export async function waitFor<T>(
  look: () => Promise<T | null | false> | T | null | false,
  what: string,
): Promise<T> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const found = await look()
    if (found !== null && found !== false) return found
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`)
    await sleep(25)
  }
}

export function doorsOf(line: ReadyLine, domain: 'crepes.fr' | 'hamburger.edu') {
  const server = line.servers.find((one) => one.domain === domain)!
  return {
    hostname: server.hostname,
    smtp: endpointOf(server.smtp),
    submission: endpointOf(server.submission),
    pop3: endpointOf(server.pop3),
    imap: endpointOf(server.imap),
  }
}

const aliceLogin = Buffer.from('\0alice@crepes.fr\0strawberry').toString('base64')

/** Hands letters in as Alice, by hand, each a transaction on one connection. */
export async function submit(
  door: Endpoint,
  texts: readonly string[],
  to = 'bob@hamburger.edu',
): Promise<void> {
  const speaker = await speakTo(door)
  const ask = async (command: string, code: string) => {
    speaker.send(`${command}\r\n`)
    await speaker.expect(`${code}<…>`)
  }
  await speaker.expect('220 <…>')
  await ask('HELO alice.example', '250')
  await ask(`AUTH PLAIN ${aliceLogin}`, '235')
  for (const text of texts) {
    await ask('MAIL FROM:<alice@crepes.fr>', '250')
    await ask(`RCPT TO:<${to}>`, '250')
    await ask('DATA', '354')
    await ask(`${text.replaceAll('\n', '\r\n')}\r\n.`, '250')
  }
  await ask('QUIT', '221')
}

/** A small letter with the usual header. */
export function letter(subject: string, text = 'Do you like ketchup?'): string {
  return `From: alice@crepes.fr\nTo: bob@hamburger.edu\nSubject: ${subject}\n\n${text}`
}

/** How many letters lie in Bob's INBOX. */
export async function bobHas(lab: Lab): Promise<number> {
  const { store } = lab.servers[1]
  const bob = await store.findAccount('bob@hamburger.edu')
  return (await store.findMailbox(bob!.accountId, 'INBOX'))!.total
}

/** A socket and what came out of it, octet for octet. */
export class Talk {
  readonly #socket: Socket
  #heard = ''
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#heard += text
    })
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.#ended = true
      })
    }
  }

  static async to(door: Endpoint): Promise<Talk> {
    const socket = connect(door.port, door.address)
    await once(socket, 'connect')
    return new Talk(socket)
  }

  send(octets: string): void {
    this.#socket.write(octets, 'latin1')
  }

  /** All that was said up to this, which is waited for. */
  async until(ending: string): Promise<string> {
    const at = await waitFor(
      () => {
        const found = this.#heard.indexOf(ending)
        assert.ok(found >= 0 || !this.#ended, `closed before ${JSON.stringify(ending)}: ${this.#heard}`)
        return found >= 0 && found + ending.length
      },
      `${JSON.stringify(ending)} after ${JSON.stringify(this.#heard)}`,
    )
    const said = this.#heard.slice(0, at)
    this.#heard = this.#heard.slice(at)
    return said
  }

  /** The next octets, this many. */
  async take(octets: number): Promise<string> {
    await waitFor(() => this.#heard.length >= octets, `${octets} octets`)
    const said = this.#heard.slice(0, octets)
    this.#heard = this.#heard.slice(octets)
    return said
  }

  /** All that was said up to the end of the connection, which the other side brings. */
  async toTheEnd(): Promise<string> {
    await waitFor(() => this.#ended, 'the end of the connection')
    return this.#heard
  }

  /** As when the line breaks. */
  hangUp(): void {
    this.#socket.destroy()
  }
}

/** An open POP3 session of Bob's. */
export async function openPop3(door: Endpoint): Promise<Pop3> {
  const session = new Pop3(await Talk.to(door))
  await session.talk.until('+OK POP3 server ready\r\n')
  await session.ask('user bob')
  await session.ask('pass hungry')
  return session
}

export class Pop3 {
  readonly talk: Talk

  constructor(talk: Talk) {
    this.talk = talk
  }

  /** @returns The status line, which must begin so. */
  async ask(command: string, status = '+OK'): Promise<string> {
    this.talk.send(`${command}\r\n`)
    const line = (await this.talk.until('\r\n')).slice(0, -2)
    assert.ok(line.startsWith(status), `${command}: ${line}`)
    return line
  }

  /** @returns The lines after the status line, without their ends and the last dot; RFC 1939 §3. */
  async lines(command: string): Promise<string[]> {
    await this.ask(command)
    const lines: string[] = []
    for (;;) {
      const line = (await this.talk.until('\r\n')).slice(0, -2)
      if (line === '.') return lines
      lines.push(line.replace(/^\./, ''))
    }
  }

  async retr(message: number): Promise<string> {
    return (await this.lines(`retr ${message}`)).map((line) => `${line}\r\n`).join('')
  }

  async quit(): Promise<void> {
    assert.equal(await this.ask('quit'), '+OK POP3 server signing off')
    assert.equal(await this.talk.toTheEnd(), '')
  }
}

/** An open IMAP session, in the clear: the Lab lets loopback do that. */
export async function openImap(t: Cleanup, door: Endpoint, user = 'bob@hamburger.edu', pass = 'hungry') {
  const client = new ImapFlow({
    ...{ host: door.address, port: door.port, secure: false, doSTARTTLS: false, logger: false },
    auth: { user, pass },
  })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.close())
  return client
}

/** What imapflow gives when it gives something. */
export function present<T>(value: T | false | undefined): T {
  assert.ok(value !== false && value !== undefined)
  return value
}

/** Takes the place of `mail.hamburger.edu:25` in the Lab, writes down what passes, and hands it on to `to`. */
export interface Tap {
  readonly endpoint: Endpoint
  /** One for each connection, in the order in which they came. */
  readonly connections: readonly {
    readonly client: Buffer
    readonly server: Buffer
    readonly over: boolean
  }[]
}

export async function listenIn(t: Cleanup, to: Endpoint): Promise<Tap> {
  const connections: { client: Buffer; server: Buffer; over: boolean }[] = []
  const sockets = new Set<Socket>()
  const tap = createServer((near) => {
    const heard = { client: Buffer.alloc(0), server: Buffer.alloc(0), over: false }
    connections.push(heard)
    const far = connect(to.port, to.address)
    for (const socket of [near, far]) sockets.add(socket)
    near.on('data', (chunk: Buffer) => {
      heard.client = Buffer.concat([heard.client, chunk])
      far.write(chunk)
    })
    far.on('data', (chunk: Buffer) => {
      heard.server = Buffer.concat([heard.server, chunk])
      near.write(chunk)
    })
    near.on('end', () => far.end()).on('error', () => far.destroy())
    far.on('end', () => near.end()).on('error', () => near.destroy())
    far.on('close', () => {
      heard.over = true
    })
  })
  tap.listen(0, '127.0.0.1')
  await once(tap, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    tap.close()
  })
  return { endpoint: { address: '127.0.0.1', port: (tap.address() as AddressInfo).port }, connections }
}

/** The dialogue of one stage as the lecture writes it. */
export function dialogueOf(way: Way, stage: string): string[] {
  const dialogue = way.stages.find((one) => one.stage === stage)?.dialogues[0]
  if (dialogue === undefined) return []
  const { handshaking, transfer, closure } = dialogue.phases
  return written([...handshaking, ...transfer, ...closure])
}

export function written(lines: readonly WireLine[]): string[] {
  return lines.map(({ side, text }) => `${side}: ${text}`)
}

/** Asks `posthorn way --json` until the way shows what is waited for. */
export function wayWith(
  env: Record<string, string>,
  args: readonly string[],
  fits: (way: Way) => boolean,
  what: string,
): Promise<Way> {
  return waitFor(async () => {
    const ran = await posthorn(env, 'way', ...args, '--json')
    if (ran.code !== 0) return null
    const way = JSON.parse(ran.stdout) as Way
    return fits(way) && way
  }, what)
}

export const seenByBoth = (way: Way): boolean =>
  way.stages.find(({ stage }) => stage === 'spoken')?.dialogues[0]?.seenByBoth === true
