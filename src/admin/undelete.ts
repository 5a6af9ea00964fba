/** What can be brought back: expunged messages, and accounts that were removed. */
import { type Context, Hono } from 'hono'
import { decodeEncodedWords } from '../message/encoded-word.ts'
import { headerValues } from '../message/header.ts'
import type { Account } from '../store/accounts.ts'
import { BodyUnreadable } from '../store/errors.ts'
import type { ExpungedMessage, MessagePlace } from '../store/housekeeping.ts'
import type { Store } from '../store/store.ts'
import { AdminError } from './admin-error.ts'
import type { AdminOptions } from './admin-options.ts'
import { readAddress, readFields, readNumber } from './input.ts'

/** Messages of one answer. */
const listMax = 100_000
/** Messages put back by one request. */
const undeleteMax = 1_000
/** Of a body, to find its From and Subject. */
const headerOctets = 16_384
const headersAtOnce = 20

export function undeleteRoutes({ store }: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => context.json({ accounts: await store.listRemovedAccounts() }))
    .get('/:address', async (context) => {
      const account = await findAccount(store, context)
      const since = readNumber(context.req.query('since'), 'since', { min: 0, max: 8.64e15 }, 0)
      const limit = readNumber(context.req.query('limit'), 'limit', { min: 1, max: listMax }, listMax)
      const mailbox = context.req.query('mailbox')
      const query = { since, limit, ...(mailbox === undefined ? {} : { mailbox }) }
      const messages = await store.listExpunged(account.accountId, query)
      if (context.req.query('headers') !== '1') return context.json({ messages: messages.map(shown) })
      return context.json({ messages: await withHeaders(store, account.accountId, messages) })
    })
    .post('/:address', async (context) => {
      const account = await findAccount(store, context)
      const places = readPlaces((await readFields(context))['messages'])
      const undeleted = await store.undelete(account.accountId, places)
      return context.json({
        address: account.address,
        undeleted: undeleted.map(({ from, to }) => ({ from: idOf(from), to: idOf(to) })),
      })
    })
    .post('/:address/account', async (context) => {
      const address = readAddress(context.req.param('address'))
      const account = await store.restoreAccount(address)
      const { usedOctets, usedMessages } = account
      return context.json({ address: account.address, usedOctets, usedMessages })
    })
}

async function findAccount(store: Store, context: Context): Promise<Account> {
  const address = readAddress(context.req.param('address')!)
  const account = await store.findAccount(address)
  if (account !== null) return account
  const removed = (await store.listRemovedAccounts()).some((one) => one.address === address)
  const remedy = removed
    ? `It was removed: posthorn account restore ${address} brings it back.`
    : 'posthorn account list shows those there are.'
  throw new AdminError(404, 'account-unknown', `There is no account ${address}`, remedy)
}

/** `MAILBOX:UID`, in numbers. */
function idOf({ mailboxId, uid }: MessagePlace): string {
  return `${mailboxId}:${uid}`
}

function readPlaces(value: unknown): MessagePlace[] {
  const ids = Array.isArray(value) ? value : []
  if (ids.length === 0 || ids.length > undeleteMax) {
    const remedy = `Send "messages" as a list of 1 to ${undeleteMax} ids.`
    throw new AdminError(400, 'bad-field', 'messages is missing, or too long', remedy)
  }
  return ids.map((id) => {
    const found = /^(\d{1,15}):(\d{1,10})$/.exec(String(id))
    if (found !== null) return { mailboxId: Number(found[1]), uid: Number(found[2]) }
    const remedy = 'Write it as posthorn undelete ADDRESS --list shows it, such as 1:42.'
    throw new AdminError(400, 'bad-id', `"${String(id)}" is no id of an expunged message`, remedy)
  })
}

function shown(message: ExpungedMessage): object {
  const { mailbox, mailboxGone, expungedAt, internalDate, octets } = message
  return { id: idOf(message), mailbox, mailboxGone, expungedAt, internalDate, octets }
}

async function withHeaders(
  store: Store,
  accountId: number,
  messages: readonly ExpungedMessage[],
): Promise<object[]> {
  const all: object[] = []
  for (let at = 0; at < messages.length; at += headersAtOnce) {
    const some = messages.slice(at, at + headersAtOnce)
    const headers = await Promise.all(some.map(({ emailId }) => headerOf(store, accountId, emailId)))
    all.push(...some.map((message, i) => ({ ...shown(message), ...headers[i] })))
  }
  return all
}

async function headerOf(
  store: Store,
  accountId: number,
  emailId: number,
): Promise<{ from: string | null; subject: string | null }> {
  const [email] = await store.getEmails(accountId, [emailId])
  if (email === undefined || email === null) return { from: null, subject: null }
  try {
    const body = await store.readBody(email.body, 0, headerOctets)
    const octets = Buffer.concat([Buffer.from(email.prefix, 'latin1'), body])
    const text = (name: string) => {
      const [value] = headerValues(octets, name)
      return value === undefined ? null : decodeEncodedWords(value)
    }
    return { from: text('From'), subject: text('Subject') }
  } catch (error) {
    if (error instanceof BodyUnreadable) return { from: null, subject: null }
    throw error
  }
}
