/** Import and export. Messages travel in bounded requests, their octets as text of one char each. */
import { Hono } from 'hono'
import { defaultLimits } from '../base/limits.ts'
import { systemRandom } from '../base/random.ts'
import { noJourneys } from '../journey/event.ts'
import type { Account } from '../store/accounts.ts'
import { MailboxGone, OverQuota } from '../store/errors.ts'
import { listForExport, readPage, readPart } from '../transfer/export-desk.ts'
import { ImportDesk, ImportGone } from '../transfer/import-desk.ts'
import { decodeBatch, type SoughtMessage } from '../transfer/wire.ts'
import type { AdminOptions } from './admin-options.ts'
import { unknownAccount } from './accounts.ts'
import { AdminError } from './admin-error.ts'
import { type Fields, readAddress, readFields, readNumber, readText, readTexts } from './input.ts'

const idRange = { min: 0, max: Number.MAX_SAFE_INTEGER }

export function importRoutes(options: AdminOptions): Hono {
  const { store, clock, transfer } = options
  const { limits = defaultLimits, journeys = noJourneys, random = systemRandom } = transfer ?? {}
  const desk = new ImportDesk({ store, journeys, clock, random, messageOctets: limits.submissionOctets })
  return new Hono()
    .post('/', async (context) => {
      const fields = await readFields(context)
      const account = await findAccount(options, readText(fields, 'address'))
      return context.json(await desk.open(account, readText(fields, 'source')), 201)
    })
    .post('/:id/mailboxes', async (context) => {
      const name = readText(await readFields(context), 'name')
      return context.json(await translate(desk.mailbox(context.req.param('id'), name)))
    })
    .post('/:id/pieces', async (context) => {
      const octets = Buffer.from(await context.req.text(), 'latin1')
      const first = context.req.query('first') === '1'
      return context.json(await translate(desk.piece(context.req.param('id'), first, octets)))
    })
    .post('/:id/messages', async (context) => {
      const batch = decodeBatch(await context.req.text())
      if (batch === null)
        throw new AdminError(400, 'bad-batch', 'The batch cannot be read', 'Send it as documented.')
      const filed = await translate(desk.file(context.req.param('id'), batch.head, batch.octets))
      return context.json({ filed })
    })
    .post('/:id/find', async (context) => {
      const fields = await readFields(context)
      const [mailboxId, since] = [readCount(fields, 'mailboxId'), readCount(fields, 'since')]
      const sought = readList(fields, 'messages') as SoughtMessage[]
      const except = readUids(fields, 'except')
      const uids = await translate(desk.find(context.req.param('id'), mailboxId, since, except, sought))
      return context.json({ uids })
    })
    .post('/:id/remove', async (context) => {
      const fields = await readFields(context)
      const [mailboxId, uidValidity] = [readCount(fields, 'mailboxId'), readCount(fields, 'uidValidity')]
      const uids = readUids(fields, 'uids')
      const removed = await translate(desk.remove(context.req.param('id'), mailboxId, uidValidity, uids))
      return context.json({ removed })
    })
    .post('/:id/remove-mailboxes', async (context) => {
      const names = readTexts(await readFields(context), 'names')
      return context.json({ removed: await translate(desk.removeMailboxes(context.req.param('id'), names)) })
    })
    .delete('/:id', async (context) => {
      await desk.close(context.req.param('id'))
      return context.json({})
    })
}

export function exportRoutes(options: AdminOptions): Hono {
  const { store } = options
  return new Hono()
    .get('/:address', async (context) => {
      const account = await findAccount(options, context.req.param('address'))
      return context.json(await listForExport(store, account))
    })
    .get('/:address/:mailbox', async (context) => {
      const { accountId } = await findAccount(options, context.req.param('address'))
      const mailboxId = readNumber(context.req.param('mailbox'), 'mailbox', idRange)
      const after = readNumber(context.req.query('after'), 'after', idRange, 0)
      return context.json(await translate(readPage(store, accountId, mailboxId, after)))
    })
    .get('/:address/:mailbox/:uid', async (context) => {
      const { accountId } = await findAccount(options, context.req.param('address'))
      const mailboxId = readNumber(context.req.param('mailbox'), 'mailbox', idRange)
      const uid = readNumber(context.req.param('uid'), 'uid', idRange)
      const offset = readNumber(context.req.query('offset'), 'offset', idRange, 0)
      const text = await translate(readPart(store, accountId, mailboxId, uid, offset))
      if (text === null) throw new AdminError(404, 'message-gone', 'The message has gone', 'Leave it out.')
      return context.json({ text })
    })
}

async function findAccount({ store }: AdminOptions, text: string): Promise<Account> {
  const address = readAddress(text)
  const account = await store.findAccount(address)
  if (account === null) throw unknownAccount(address)
  return account
}

async function translate<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ImportGone) {
      throw new AdminError(409, 'import-gone', error.message, 'Give the same command again: it goes on.')
    }
    if (error instanceof RangeError) {
      throw new AdminError(400, 'bad-batch', error.message, 'Send it as documented.')
    }
    if (error instanceof OverQuota) {
      throw new AdminError(
        409,
        'over-quota',
        error.message,
        'Make room or raise the quota, then give the same command again.',
      )
    }
    if (error instanceof MailboxGone) {
      throw new AdminError(
        404,
        'mailbox-gone',
        'The mailbox was deleted meanwhile',
        'Give the same command again.',
      )
    }
    throw error
  }
}

function readCount(fields: Fields, name: string): number {
  return readNumber(String(fields[name] ?? ''), name, idRange)
}

function readUids(fields: Fields, name: string): number[] {
  return readList(fields, name).filter((uid): uid is number => Number.isSafeInteger(uid))
}

function readList(fields: Fields, name: string): unknown[] {
  const value = fields[name]
  if (Array.isArray(value)) return value
  throw new AdminError(400, 'bad-field', `${name} is missing or no list`, `Send "${name}" as a list.`)
}
