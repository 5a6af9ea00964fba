import { Hono } from 'hono'
import type { Account } from '../store/accounts.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { addAccountLines } from './bulk-accounts.ts'
import { type Fields, readAddress, readFields, readText } from './input.ts'
import { secretToHash } from './secret.ts'

export function accountRoutes(options: AdminOptions): Hono {
  const { store } = options
  return new Hono()
    .get('/', async (context) => context.json({ accounts: (await store.listAccounts()).map(shownAccount) }))
    .get('/:address', async (context) => {
      const address = readAddress(context.req.param('address'))
      const account = await store.findAccount(address)
      if (account === null) throw unknownAccount(address)
      return context.json(shownAccount(account))
    })
    .post('/', async (context) => {
      const fields = await readFields(context)
      const address = readAddress(readText(fields, 'address'))
      // Hashing takes its time; who is going to be refused anyway need not wait for it.
      await refuseBeforehand(options, address)
      const account = await store.addAccount(
        address,
        await secretToHash(options, readText(fields, 'password')),
      )
      return context.json(shownAccount(account), 201)
    })
    .post('/bulk', async (context) => {
      const skipExisting = context.req.query('skipExisting') === '1'
      return context.json(await addAccountLines(options, await context.req.text(), skipExisting), 201)
    })
    .put('/:address/password', async (context) => {
      const address = readAddress(context.req.param('address'))
      const password = readText(await readFields(context), 'password')
      if ((await store.findAccount(address)) === null) throw unknownAccount(address)
      await store.setPassword(address, await secretToHash(options, password))
      return context.json({ address })
    })
    .put('/:address/quota', async (context) => {
      const address = readAddress(context.req.param('address'))
      const account = await store.findAccount(address)
      if (account === null) throw unknownAccount(address)
      const fields = await readFields(context)
      const quota = {
        octets: readBound(fields, 'octets', account.quotaOctets),
        messages: readBound(fields, 'messages', account.quotaMessages),
      }
      await store.setQuota(address, quota)
      return context.json({ address, quotaOctets: quota.octets, quotaMessages: quota.messages })
    })
    .delete('/:address', async (context) => {
      const address = readAddress(context.req.param('address'))
      if ((await store.findAccount(address)) === null) throw unknownAccount(address)
      await store.removeAccount(address)
      return context.json({ address })
    })
}

/** A number of at least 0, null for no bound, or absent for what it is now. */
function readBound(fields: Fields, name: string, now: number | null): number | null {
  const value = fields[name]
  if (value === undefined) return now
  if (value === null || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number | null
  throw new AdminError(400, 'bad-field', `${name} is no bound`, `Send "${name}" as a whole number or null.`)
}

/** An account without what nobody needs to see. */
function shownAccount(account: Account): object {
  const { address, usedOctets, usedMessages, quotaOctets, quotaMessages, passwordHash } = account
  const canLogIn = passwordHash !== null
  return { address, usedOctets, usedMessages, quotaOctets, quotaMessages, canLogIn }
}

async function refuseBeforehand({ store }: AdminOptions, address: string): Promise<void> {
  const meaning = await store.resolveAddress(address)
  if (meaning.kind === 'account') {
    const remedy = `To give it another password: posthorn account password ${address}.`
    throw new AdminError(409, 'name-taken', `There is an account ${address} already`, remedy)
  }
  if (meaning.kind === 'remote') throw foreignDomain(address)
}

export function foreignDomain(address: string, line: number | null = null): AdminError {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const remedy = `Add it first: posthorn domain add ${domain}.`
  return new AdminError(404, 'domain-unknown', `${domain} is not a domain of this server`, remedy, line)
}

export function unknownAccount(address: string): AdminError {
  const remedy = 'posthorn account list shows those there are.'
  return new AdminError(404, 'account-unknown', `There is no account ${address}`, remedy)
}
