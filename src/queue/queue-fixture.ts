/** What the queue's tests need around it: a real store in a folder of its own, a clock, a dialler that goes nowhere else. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dialler, Target } from '../base/dialler.ts'
import type { Journey, JourneyEntry } from '../journey/event.ts'
import type { NewQueueEntry, QueueEntry } from '../store/queue.ts'
import type { Store } from '../store/store.ts'
import type { HomePlan, LocalDelivery } from './local-delivery.ts'
import type { QueueOptions } from './options.ts'
import type { OutgoingQueue } from './wake.ts'
import { FakeClock } from '../base/clock.ts'
import { defaultLimits } from '../base/limits.ts'
import { silentLog } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { mapResolver, type MapResolver, type RecordMap } from '../dns/map-resolver.ts'
import { openStore } from '../store/open.ts'
import { acceptStaged, stageOctets } from './restage.ts'
import { createQueue } from './queue.ts'
import { noWishes } from '../store/queue.ts'

export interface Fixture {
  readonly clock: FakeClock
  readonly store: Store
  readonly resolver: MapResolver
  /** Where connections were opened to, in order; refused ones too. */
  readonly dialled: Target[]
  /** Port on loopback by `hostname` or `address`; what is not named refuses the connection. */
  readonly hosts: Map<string, number>
  readonly journeyEntries: JourneyEntry[]
  /** Makes a queue on the store; `close` stops it. */
  queue(changes?: Partial<QueueOptions>): OutgoingQueue
  /** Accepts a letter with rows as given. */
  send(...rows: Partial<NewQueueEntry>[]): Promise<readonly number[]>
  /** One that is due now, for `accept`. */
  row(): NewQueueEntry
  rows(): Promise<QueueEntry[]>
  /** Text of the messages in an account's INBOX, prefix and body. */
  inbox(accountId: number): Promise<string[]>
  journey(journeyId: string): Pick<Journey, 'facts' | 'events'>
  close(): Promise<void>
}

export const letterText = 'Subject: Ketchup?\r\nMessage-ID: <1@crepes.fr>\r\n\r\nDo you like ketchup?\r\n'

export async function openFixture(records: RecordMap = {}): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-queue-'))
  const clock = new FakeClock()
  const random = seededRandom(7)
  const surroundings = { clock, random, log: silentLog }
  const store = await openStore({ folder, limits: defaultLimits, surroundings })
  const resolver = mapResolver(records)
  const dialled: Target[] = []
  const hosts = new Map<string, number>()
  const journeyEntries: JourneyEntry[] = []
  const queues: OutgoingQueue[] = []

  const dialler: Dialler = (target) => {
    dialled.push(target)
    const port = hosts.get(target.address) ?? hosts.get(target.hostname)
    if (port === undefined) {
      return Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }))
    }
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.on('error', () => {})
      socket.once('connect', () => resolve(socket))
    })
  }

  return {
    clock,
    store,
    resolver,
    dialled,
    hosts,
    journeyEntries,
    queue(changes = {}) {
      const made = createQueue({
        ...surroundings,
        store,
        resolver,
        dialler,
        routes: new Map(),
        hostname: 'mail.crepes.fr',
        ehloName: 'mail.crepes.fr',
        limits: defaultLimits,
        journeys: { append: (entry) => journeyEntries.push(entry) },
        localDelivery: storeHome(store),
        tls: { ca: [] },
        ...changes,
      })
      queues.push(made)
      made.start()
      return made
    },
    async send(...rows) {
      const staged = await stageOctets(store, Buffer.from(letterText))
      const entries = rows.map((row) => ({ ...plainRow(clock.now()), ...row }))
      return (await acceptStaged(store, staged, [], entries, [])).queueIds
    },
    row: () => plainRow(clock.now()),
    rows: () => store.listQueue(10_000),
    inbox: (accountId) => readInbox(store, accountId),
    journey(journeyId) {
      const found = journeyEntries.filter((entry) => entry.journeyId === journeyId)
      const facts = Object.assign({}, ...found.map((entry) => entry.facts ?? {}))
      return { facts, events: found.flatMap((entry) => entry.events) }
    },
    async close() {
      for (const queue of queues) {
        const stopped = queue.stop(0)
        // The grace is measured by the fake clock.
        const hurry = setInterval(() => clock.advance(5_000), 5)
        await stopped
        clearInterval(hurry)
      }
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function plainRow(now: number): NewQueueEntry {
  return {
    accountId: 0,
    reversePath: 'alice@crepes.fr',
    domain: 'hamburger.edu',
    recipients: [{ forwardPath: 'bob@hamburger.edu', orcpt: null, notify: null }],
    prefix: 'Received: by mail.crepes.fr; Thu, 01 Jan 2026 00:00:00 +0000\r\n',
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: noWishes,
    nextAttemptAt: now,
    expiresAt: now + defaultLimits.queueLifeMs,
    journeyId: null,
  }
}

/** As `delivery` does it, without aliases: the queue may not import that room, nor may its tests. */
export function storeHome(store: Store): LocalDelivery {
  return {
    async plan(letter, now): Promise<HomePlan | null> {
      const outcomes: HomePlan['outcomes'] = new Map()
      const filings = []
      for (const { forwardPath } of letter.recipients) {
        const meaning = await store.resolveAddress(forwardPath)
        if (meaning.kind === 'remote') return null
        const found = meaning.kind === 'account' ? meaning.account : null
        const full = found !== null && found.quotaOctets !== null && found.usedOctets >= found.quotaOctets
        const kind = found === null ? 'permanent' : full ? 'temporary' : 'delivered'
        const status = found === null ? '5.1.1' : full ? '4.2.2' : '2.0.0'
        const outcome = { kind, status, text: `${status} said home`, host: null, stage: 'file' } as const
        ;(outcomes as Map<string, typeof outcome>).set(forwardPath, outcome)
        if (kind !== 'delivered') continue
        filings.push({
          accountId: found!.accountId,
          mailboxId: null,
          prefix: `Return-Path: <${letter.reversePath}>\r\n${letter.prefix}`,
          flags: 0,
          keywords: [],
          internalDate: now,
          journeyId: letter.journeyId,
        })
      }
      return { filings, queue: [], outcomes }
    },
  }
}

async function readInbox(store: Store, accountId: number): Promise<string[]> {
  const mailbox = await store.findMailbox(accountId, 'INBOX')
  if (mailbox === null) return []
  const index = await store.loadIndex(accountId, mailbox.mailboxId)
  const emails = await store.getEmails(accountId, Array.from(index.emailIds.subarray(0, index.length)))
  index.release()
  const texts: string[] = []
  for (const email of emails) {
    if (email === null) continue
    const octets = await store.readBody(email.body, 0, email.body.octets)
    texts.push(email.prefix + Buffer.from(octets).toString('latin1'))
  }
  return texts
}

/** Waits, by the real clock, until something holds. @throws {Error} After ten seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`Waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export const oneHost: RecordMap = {
  'hamburger.edu': { MX: [{ preference: 10, exchange: 'mx.hamburger.edu' }] },
  'mx.hamburger.edu': { A: ['192.0.2.1'] },
}

export async function isEmpty(fixture: Fixture): Promise<boolean> {
  return (await fixture.rows()).length === 0
}

/** Whether the only row has been settled so often, and given back. */
export async function wasAttempted(fixture: Fixture, attempts: number): Promise<boolean> {
  const [row] = await fixture.rows()
  return row !== undefined && row.attempts === attempts && row.leasedUntil === null
}

/** A store some of whose calls the test answers itself, or hears of. */
export function tappedStore(
  store: Store,
  tap: (name: string, args: readonly unknown[]) => Promise<never> | null,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => tap(String(name), args) ?? value.apply(target, args)
    },
  })
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
