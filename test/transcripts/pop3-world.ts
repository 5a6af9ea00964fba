/** A POP3 server on loopback over mail in memory, for transcripts. */
import type { Authenticator } from '../../src/auth/authenticator.ts'
import { FakeClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { type Listener, listen } from '../../src/base/listener.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { createPop3Door } from '../../src/pop3/server/door.ts'
import { MaildropLocks } from '../../src/pop3/server/maildrop-locks.ts'
import type { Pop3DoorOptions } from '../../src/pop3/server/options.ts'
import type { Account } from '../../src/store/accounts.ts'
import { BodyUnreadable, StoreUnavailable } from '../../src/store/errors.ts'
import type { MailboxIndex } from '../../src/store/mailbox-index.ts'
import type { Email, Mailbox } from '../../src/store/store.ts'
import { makeSelfSigned } from '../../src/tls/certificate.ts'
import { createServerTls, type ServerTls } from '../../src/tls/server-tls.ts'
import { replay } from '../harness/replay.ts'

export interface Letter {
  readonly uid: number
  readonly prefix: string
  readonly body: Buffer
  readonly journeyId: string | null
}

/** A letter of exactly so many octets, at least 90, with header, body and CRLF at its end. */
export function letterOf(octets: number, subject: string): string {
  let text = `From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\nSubject: ${subject}\r\n\r\n`
  const line = 'Do you like ketchup? How about pickles?'
  while (octets - text.length > 2 * line.length) text += `${line}\r\n`
  return `${text}${'?'.repeat(octets - text.length - 2)}\r\n`
}

/** INBOXes in memory, with what a test wants to go wrong. */
export class MailInMemory {
  readonly inboxes = new Map<number, Letter[]>()
  readonly unreadable = new Set<number>()
  expungeFails = false
  /** Awaited before an expunge is done. */
  beforeExpunge: Promise<void> = Promise.resolve()
  /** How many indexes are open. */
  openIndexes = 0
  #nextUid = 1

  add(accountId: number, body: string, options: { prefix?: string; journeyId?: string } = {}): Letter {
    const letter = {
      uid: this.#nextUid++,
      prefix: options.prefix ?? '',
      body: Buffer.from(body, 'latin1'),
      journeyId: options.journeyId ?? null,
    }
    const inbox = this.inboxes.get(accountId) ?? []
    inbox.push(letter)
    this.inboxes.set(accountId, inbox)
    return letter
  }

  letters(accountId: number): Letter[] {
    return this.inboxes.get(accountId) ?? []
  }

  asStore(): Pop3DoorOptions['store'] {
    return {
      findMailbox: async (accountId) => ({ accountId, mailboxId: 1, name: 'INBOX' }) as Mailbox,
      loadIndex: async (accountId) => this.#index(accountId),
      getEmails: async (accountId, emailIds) => emailIds.map((emailId) => this.#email(accountId, emailId)),
      readBody: async (body, offset, octets) => {
        if (this.unreadable.has(body.blobId)) throw new BodyUnreadable('disk')
        const letter = this.letters(body.accountId).find((one) => one.uid === body.blobId)
        if (letter === undefined) throw new BodyUnreadable('gone')
        return letter.body.subarray(offset, offset + octets)
      },
      expunge: async (accountId, _mailboxId, uids) => {
        await this.beforeExpunge
        if (this.expungeFails) throw new StoreUnavailable('disk full')
        const gone = this.letters(accountId).filter((letter) => uids.includes(letter.uid))
        this.inboxes.set(
          accountId,
          this.letters(accountId).filter((letter) => !uids.includes(letter.uid)),
        )
        return gone.map((letter) => letter.uid)
      },
    }
  }

  #index(accountId: number): MailboxIndex {
    const letters = this.letters(accountId)
    this.openIndexes++
    return {
      accountId,
      mailboxId: 1,
      uidValidity: 1_700_000_000,
      length: letters.length,
      uids: Uint32Array.from(letters, (letter) => letter.uid),
      sizes: Uint32Array.from(letters, (letter) => letter.prefix.length + letter.body.length),
      emailIds: Float64Array.from(letters, (letter) => letter.uid),
      rowOf: (uid: number) => this.letters(accountId).findIndex((letter) => letter.uid === uid),
      gone: false,
      release: () => {
        this.openIndexes--
      },
    } as unknown as MailboxIndex
  }

  #email(accountId: number, emailId: number): Email | null {
    const letter = this.letters(accountId).find((one) => one.uid === emailId)
    if (letter === undefined) return null
    const body = { accountId, blobId: letter.uid, octets: letter.body.length }
    return { emailId, journeyId: letter.journeyId, prefix: letter.prefix, body } as Email
  }
}

const bob: Account = {
  accountId: 1,
  address: 'bob@hamburger.edu',
  passwordHash: '',
  usedOctets: 0,
  usedMessages: 0,
  quotaOctets: null,
  quotaMessages: null,
}

/** bob's password is hungry, jürgen's is hungrig; the log-in of slow@hamburger.edu waits for `slowLogin`. */
class FewAccounts implements Authenticator {
  attempts = 0
  slowLogin: Promise<void> = Promise.resolve()

  async verify({
    login,
    password,
    authorisationId,
  }: {
    login: string
    password: string
    authorisationId: string
  }) {
    this.attempts++
    const address = login.includes('@') ? login : `${login}@hamburger.edu`
    if (address.startsWith('busy')) return { kind: 'unavailable' as const }
    if (address.startsWith('slow')) await this.slowLogin
    const found = accounts.find((account) => account.address === address)
    if (found === undefined || found.passwordHash !== password) return { kind: 'refused' as const }
    if (authorisationId !== '' && authorisationId !== login) return { kind: 'refused' as const }
    return { kind: 'ok' as const, account: found }
  }
}

const accounts: Account[] = [
  { ...bob, passwordHash: 'hungry' },
  { ...bob, accountId: 2, address: 'jürgen@hamburger.edu', passwordHash: 'hungrig' },
  { ...bob, accountId: 3, address: 'slow@hamburger.edu', passwordHash: 'hungry' },
  { ...bob, accountId: 4, address: 'mrose@hamburger.edu', passwordHash: ' two  words ' },
]

let certificate: ServerTls | null = null

export function testTls(): ServerTls {
  certificate ??= createServerTls(
    makeSelfSigned({ hostnames: ['mail.hamburger.edu'] }, { nowMs: Date.now(), random: systemRandom }),
  )
  return certificate
}

export interface World {
  readonly mail: MailInMemory
  readonly authenticator: FewAccounts
  readonly endpoint: Endpoint
  readonly listener: Listener
  readonly clock: FakeClock
  readonly journeys: JourneyEntry[]
  readonly options: Pop3DoorOptions
  /** Plays a transcript; `<message N>` stands for what RETR sends of bob's letter N as it is now. */
  play(transcript: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

type Changes = Partial<Omit<Pop3DoorOptions, 'limits'>> & { limits?: Partial<Limits> }

export async function openWorld(changes: Changes = {}): Promise<World> {
  const mail = new MailInMemory()
  const authenticator = new FewAccounts()
  const journeys: JourneyEntry[] = []
  const clock = new FakeClock()
  const options: Pop3DoorOptions = {
    implicitTls: false,
    hostname: 'mail.hamburger.edu',
    defaultDomain: 'hamburger.edu',
    store: mail.asStore(),
    authenticator,
    locks: new MaildropLocks(),
    tls: null,
    plaintext: 'loopback',
    clock,
    log: silentLog,
    journeys: { append: (entry) => void journeys.push(entry) },
    ...changes,
    limits: { ...defaultLimits, ...changes.limits },
  }
  const bounds = { connections: 1_000, connectionsPerAddress: 1_000, trusted: [] }
  const listener = await listen(createPop3Door(options), [{ address: '127.0.0.1', port: 0 }], bounds)
  const endpoint = listener.endpoints[0]!
  return {
    mail,
    authenticator,
    endpoint,
    listener,
    clock,
    journeys,
    options,
    play: (transcript) => replay(endpoint, expand(transcript, mail.letters(1))),
    [Symbol.asyncDispose]: () => listener.close(0),
  }
}

/** The world of most tests: bob has two letters, of 498 and 912 octets. */
export async function openLectureWorld(changes: Changes = {}): Promise<World> {
  const world = await openWorld(changes)
  world.mail.add(1, letterOf(498, 'Ketchup'), { journeyId: 'journey-1' })
  world.mail.add(1, letterOf(912, 'Pickles'), { journeyId: 'journey-2' })
  return world
}

/** Opens a world, plays one transcript in it and closes it. */
export async function play(transcript: string, changes: Changes = {}): Promise<void> {
  await using world = await openLectureWorld(changes)
  await world.play(transcript)
}

export function expand(transcript: string, letters: readonly Letter[]): string {
  return transcript.replace(/^ *S: <message (\d+).*>$/gm, (_all, number: string) => {
    const letter = letters[Number(number) - 1]!
    const text = letter.prefix + letter.body.toString('latin1')
    const lines = text.replace(/^\./gm, '..').split('\r\n')
    return lines
      .slice(0, -1)
      .map((line) => `S: ${line}`)
      .join('\n')
  })
}

/** What comes before everything in most transcripts. */
export const loggedIn = `
  S: +OK POP3 server ready
  C: USER bob
  S: +OK
  C: PASS hungry
  S: +OK user successfully logged on
`
