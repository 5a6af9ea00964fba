/** One SMTP door over a real store in a temporary folder, on a loopback port of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthenticator } from '../../src/auth/create-authenticator.ts'
import { hashPassword } from '../../src/auth/password-hash.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { Endpoint } from '../../src/base/config.ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { listen } from '../../src/base/listener.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { JourneyEntry } from '../../src/journey/event.ts'
import { createSmtpDoor } from '../../src/smtp/server/door.ts'
import type { SmtpDoorOptions } from '../../src/smtp/server/options.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

export interface SmtpHarness {
  readonly endpoint: Endpoint
  readonly store: Store
  readonly journeys: JourneyEntry[]
  /** Messages of an account's INBOX, oldest first, one char per octet. */
  inbox(address: string): Promise<string[]>
  close(): Promise<void>
}

export interface HarnessOptions {
  readonly limits?: Partial<Limits>
  readonly door?: Partial<SmtpDoorOptions>
  /** Default: one that is free. */
  readonly port?: number
  /** Wraps the store that the door sees: faults to order. */
  readonly wrapStore?: (store: Store) => Store
}

/** Accounts: bob@hamburger.edu (password hungry) and carol@hamburger.edu; alias cooks@ leads to both. */
export async function openSmtpDoor(options: HarnessOptions = {}): Promise<SmtpHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-smtp-'))
  const limits = { ...defaultLimits, ...options.limits }
  const surroundings = { clock: systemClock, random: systemRandom, log: silentLog }
  const store = await openStore({ folder, limits, surroundings })
  await store.addDomain('hamburger.edu')
  await store.addAccount('bob@hamburger.edu', await hashPassword('hungry'))
  await store.addAccount('carol@hamburger.edu', null)
  await store.addAlias('cooks@hamburger.edu', ['bob@hamburger.edu', 'carol@hamburger.edu'])
  const journeys: JourneyEntry[] = []
  const door = createSmtpDoor({
    role: 'mx',
    implicitTls: false,
    hostname: 'mail.hamburger.edu',
    defaultDomain: 'hamburger.edu',
    store: options.wrapStore?.(store) ?? store,
    authenticator: createAuthenticator({ store, limits, ...surroundings }),
    tls: null,
    plaintext: 'loopback',
    limits,
    ...surroundings,
    journeys: { append: (entry) => void journeys.push(entry) },
    journeyLevel: 'full',
    inquiries: { vrfy: 'ambiguous', expn: false },
    filters: [],
    signer: null,
    trusted: [],
    proxies: [],
    xclient: [],
    ...options.door,
  })
  const listener = await listen(door, [{ address: '127.0.0.1', port: options.port ?? 0 }], {
    ...limits,
    trusted: ['127.0.0.1'],
  })
  return {
    endpoint: listener.endpoints[0]!,
    store,
    journeys,
    inbox: (address) => inbox(store, address),
    async close() {
      await listener.close(1_000)
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function inbox(store: Store, address: string): Promise<string[]> {
  const account = await store.findAccount(address)
  if (account === null) throw new Error(`No account ${address}`)
  const { accountId } = account
  const mailbox = await store.findMailbox(accountId, 'INBOX')
  const index = await store.loadIndex(accountId, mailbox!.mailboxId)
  const emailIds = [...index.emailIds.subarray(0, index.length)]
  const emails = await store.getEmails(accountId, emailIds)
  index.release()
  const texts: string[] = []
  for (const email of emails) {
    const body = await store.readBody(email!.body, 0, email!.body.octets)
    texts.push(email!.prefix + Buffer.from(body).toString('latin1'))
  }
  return texts
}
