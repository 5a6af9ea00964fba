/** An IMAP server on loopback over a real store in a temporary folder, for transcripts of one or more clients. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Authenticator } from '../../src/auth/authenticator.ts'
import { FakeClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { listen } from '../../src/base/listener.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createImapDoor } from '../../src/imap/server/door.ts'
import type { ImapDoorOptions } from '../../src/imap/server/options.ts'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { MessageScanner } from '../../src/message/scan.ts'
import { openStore } from '../../src/store/open.ts'
import type { Filing, Store } from '../../src/store/store.ts'
import { speakTo, type Speaker } from '../harness/replay.ts'

export interface ImapWorld {
  readonly endpoint: Endpoint
  readonly store: Store
  readonly accountId: number
  readonly clock: FakeClock
  readonly journeys: JourneyEntry[]
  /** Puts a message into bob's mailbox, as delivery would. @returns Its UID. */
  deliver(body: string, filing?: Partial<Filing> & { readonly mailbox?: string }): Promise<number>
  /** Plays a transcript; see `playImap`. */
  play(transcript: string): Promise<void>
  /** Ends what is between two commands, as a server that stops does. */
  drain(): void
  close(): Promise<void>
}

export interface WorldOptions {
  readonly limits?: Partial<Limits>
  readonly door?: Partial<ImapDoorOptions>
  readonly wrapStore?: (store: Store) => Store
}

/** 1 January 2026, when all of it happens. */
export const startMs = Date.UTC(2026, 0, 1, 12, 0, 0)

/** bob@hamburger.edu, password hungry; carol@hamburger.edu, password thirsty. */
export async function openImapWorld(options: WorldOptions = {}): Promise<ImapWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-imap-'))
  const limits = { ...defaultLimits, ...options.limits }
  const clock = new FakeClock(startMs)
  const surroundings = { clock, random: systemRandom, log: silentLog }
  const store = await openStore({ folder, limits, surroundings })
  await store.addDomain('hamburger.edu')
  const { accountId } = await store.addAccount('bob@hamburger.edu', 'hungry')
  await store.addAccount('carol@hamburger.edu', 'thirsty')
  const journeys: JourneyEntry[] = []
  const door = createImapDoor({
    implicitTls: false,
    hostname: 'mail.hamburger.edu',
    defaultDomain: 'hamburger.edu',
    store: options.wrapStore?.(store) ?? store,
    authenticator: plainPasswords(store),
    tls: null,
    plaintext: 'loopback',
    limits,
    ...surroundings,
    journeys: { append: (entry) => void journeys.push(entry) },
    ...options.door,
  })
  const bounds = { ...limits, connections: 1_000, connectionsPerAddress: 1_000, trusted: [] }
  const listener = await listen(door, [{ address: '127.0.0.1', port: 0 }], bounds)
  const endpoint = listener.endpoints[0]!
  return {
    endpoint,
    store,
    accountId,
    clock,
    journeys,
    deliver: (body, filing) => deliver(store, accountId, body, filing),
    play: (transcript) => playImap(endpoint, transcript),
    drain: () => door.drain(),
    async close() {
      await listener.close(100)
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Passwords are kept as they are, so that a test need not wait for a hash. */
function plainPasswords(store: Store): Authenticator {
  return {
    async verify({ login, password, authorisationId }, defaultDomain) {
      const address = login.includes('@') ? login : `${login}@${defaultDomain}`
      if (login === 'busy') return { kind: 'unavailable' }
      const account = await store.findAccount(address)
      if (account === null || account.passwordHash !== password) return { kind: 'refused' }
      if (authorisationId !== '' && authorisationId !== login) return { kind: 'refused' }
      return { kind: 'ok', account }
    },
  }
}

async function deliver(
  store: Store,
  accountId: number,
  body: string,
  { mailbox = 'INBOX', ...filing }: Partial<Filing> & { readonly mailbox?: string } = {},
): Promise<number> {
  const octets = Buffer.from(body, 'latin1')
  const scanner = new MessageScanner()
  scanner.push(octets)
  const sink = store.openBody()
  await sink.write(octets)
  const { mailboxId } = (await store.findMailbox(accountId, mailbox))!
  const whole = {
    ...{ accountId, mailboxId, prefix: '', flags: 0, keywords: [], journeyId: null },
    internalDate: startMs,
    ...filing,
  }
  const item = { body: await sink.finish(), scan: scanner.finish(), filings: [whole], queue: [] }
  const [accepted] = await store.accept([item])
  if (accepted === undefined || accepted instanceof Error) throw accepted
  return accepted.filed[0]!.uid
}

/**
 * Plays a conversation. `C:` and `S:` are the first client's; further clients are `C2:` and `S2:` and so on, each with a
 * connection of its own. A C line ends with CRLF unless it ends with `\` (then the next C line follows at once);
 * `<…>` in an S line stands for anything; `S: (closed)` waits for the end, `C: (close)` sends FIN.
 */
export async function playImap(endpoint: Endpoint, transcript: string): Promise<void> {
  const speakers = new Map<string, Speaker>()
  try {
    for (const written of transcript.split('\n')) {
      const line = written.trim()
      if (line === '') continue
      const found = /^([CS])(\d*):(?: (.*))?$/s.exec(line)
      assert.ok(found, `not a line of a transcript: ${line}`)
      const [, side, number = '', text = ''] = found
      let speaker = speakers.get(number)
      if (speaker === undefined) speakers.set(number, (speaker = await speakTo(endpoint)))
      await playLine(speaker, side === 'C', text)
    }
  } finally {
    for (const speaker of speakers.values()) speaker.socket.destroy()
  }
}

async function playLine(speaker: Speaker, client: boolean, text: string): Promise<void> {
  if (!client) await (text === '(closed)' ? speaker.expectClosed() : speaker.expect(text))
  else if (text === '(close)') speaker.close()
  else speaker.send(text.endsWith('\\') ? text.slice(0, -1) : `${text}\r\n`)
}

/** What comes before everything in most transcripts. */
export const loggedIn = `
  S: * OK <…>
  C: l LOGIN bob hungry
  S: l OK [<…>] Logged in
`

/** INBOX with so many messages, all of them new. */
export function selected(
  exists: number,
  recent = exists,
  unseen: number | null = exists > 0 ? 1 : null,
): string {
  return `
    ${loggedIn}
    C: s SELECT INBOX
    S: * FLAGS <…>
    S: * OK [PERMANENTFLAGS <…>
    S: * ${exists} EXISTS
    S: * ${recent} RECENT
    ${unseen === null ? '' : `S: * OK [UNSEEN ${unseen}] <…>`}
    S: * OK [UIDVALIDITY <…>
    S: * OK [UIDNEXT <…>
    S: s OK [READ-WRITE] Opened
  `
}
