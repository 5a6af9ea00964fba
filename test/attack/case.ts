/**
 * Numbered attacks on an SMTP door: the octets that are sent, and what must be true afterwards.
 *
 * After each case the connection is closed by the server, the mailboxes and the queue hold what the case says and nothing
 * else, and a bystander's session on the same door is answered as before.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type HarnessOptions, openSmtpDoor, type SmtpHarness } from '../harness/smtp-door.ts'
import { type Attacker, attack } from './client.ts'

/** Of a door that lists 127.0.0.1 as a proxy: a stranger. */
export const fromOutside = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n'

export interface Case {
  /** Class and number, `BDAT-04`; docs/attacks.md counts them. */
  readonly id: string
  readonly what: string
  /** Octets, one char each; a number waits until so many replies have come. */
  readonly send: string | readonly (string | number)[]
  /** The codes of all replies, the greeting's first; `x` is any digit. */
  readonly codes: string
  /** Copies that were filed; default 0. */
  readonly kept?: number
  /** Of them in bob's INBOX; absent: not asked. */
  readonly inInbox?: number
  /** Entries of the queue; default 0. */
  readonly queued?: number
  /** What all replies together look like. */
  readonly heard?: RegExp
  /** What must stand nowhere in what was filed, nor in a reply. */
  readonly nowhere?: RegExp
  /** What the last copy looks like. */
  readonly copy?: RegExp
}

export const hello = 'EHLO client.example\r\n'
export const quit = 'QUIT\r\n'
export const mail = 'MAIL FROM:<ada@client.example>\r\n'
export const rcpt = 'RCPT TO:<bob@hamburger.edu>\r\n'
/** Codes: 250 250 250 354. */
export const toData = `${hello}${mail}${rcpt}DATA\r\n`
/** Codes: 250 250 250. */
export const toBdat = `${hello}${mail}${rcpt}`
export const plain = (login: string, password: string, as = ''): string =>
  Buffer.from(`${as}\0${login}\0${password}`, 'latin1').toString('base64')
/** Codes: 250 235. */
export const logIn = `${hello}AUTH PLAIN ${plain('bob', 'hungry')}\r\n`

const limits = { errorsPerSession: 50, idleCommands: 1_000 }

/** A describe block with a door of its own and one test for each case. @param preface Of each connection: a PROXY header. */
export function attackDoor(
  title: string,
  options: HarnessOptions,
  cases: readonly Case[],
  preface = '',
): void {
  describe(title, () => {
    let door: SmtpHarness
    let bystander: Attacker
    before(async () => {
      door = await openSmtpDoor({ ...options, limits: { ...limits, ...options.limits } })
      bystander = await attack(door.endpoint)
      bystander.send(preface)
      await bystander.until(/^220 .*\r\n/)
    })
    after(async () => {
      bystander.socket.destroy()
      await door.close()
    })
    for (const one of cases) {
      test(`${one.id} ${one.what}`, async () => {
        const keptBefore = await countKept(door)
        const inboxBefore = one.inInbox === undefined ? 0 : (await door.inbox('bob@hamburger.edu')).length
        const queuedBefore = (await door.store.listQueue(10_000)).length
        const heard = await converse(door, one.send, preface)
        // Without the digits that do not matter.
        const codes = codesOf(heard).join(' ').split('')
        const said = codes.map((char, at) => (one.codes[at] === 'x' ? 'x' : char)).join('')
        assert.equal(said, one.codes, JSON.stringify(heard.slice(-1_000)))
        if (one.heard !== undefined) assert.match(heard, one.heard)
        assert.equal((await countKept(door)) - keptBefore, one.kept ?? 0, 'copies filed')
        assert.equal((await door.store.listQueue(10_000)).length - queuedBefore, one.queued ?? 0, 'queued')
        if (one.inInbox !== undefined)
          assert.equal((await door.inbox('bob@hamburger.edu')).length - inboxBefore, one.inInbox, 'in INBOX')
        if (one.nowhere !== undefined) assert.doesNotMatch(heard, one.nowhere)
        if (one.kept !== undefined && one.kept > 0) {
          const copy = (await door.inbox('bob@hamburger.edu')).at(-1) ?? ''
          if (one.copy !== undefined) assert.match(copy, one.copy)
          if (one.nowhere !== undefined) assert.doesNotMatch(copy, one.nowhere)
          assert.doesNotMatch(copy, /\r(?!\n)|(?<!\r)\n|\0/)
        }
        assert.match(await bystander.ask('NOOP'), /^250 /)
      })
    }
  })
}

/** Sends, after the greeting where there is a preface, and reads until the server closes. @returns All that it said. */
export async function converse(door: SmtpHarness, send: Case['send'], preface = ''): Promise<string> {
  const one = await attack(door.endpoint)
  try {
    if (preface !== '') await replied(one.send(preface), 1)
    for (const step of typeof send === 'string' ? [send] : send) {
      if (typeof step === 'string') one.send(step)
      else await replied(one, step)
    }
    return await one.rest(20_000)
  } finally {
    one.socket.destroy()
  }
}

async function replied(one: Attacker, count: number): Promise<void> {
  const all = new RegExp(`^(?:(?:\\d{3}-.*\\r\\n)*\\d{3}(?: .*)?\\r\\n){${count}}`)
  one.received = (await one.until(all)) + one.received
}

export function codesOf(heard: string): string[] {
  return heard
    .split('\r\n')
    .filter((line) => /^\d{3}(?: |$)/.test(line))
    .map((line) => line.slice(0, 3))
}

/** Of bob and carol together. */
export async function countKept(door: SmtpHarness): Promise<number> {
  let count = 0
  for (const address of ['bob@hamburger.edu', 'carol@hamburger.edu']) {
    const account = await door.store.findAccount(address)
    for (const { mailboxId } of await door.store.listMailboxes(account!.accountId)) {
      const index = await door.store.loadIndex(account!.accountId, mailboxId)
      count += index.length
      index.release()
    }
  }
  return count
}
