/** Bans, and what accounts may send. */
import { Hono } from 'hono'
import { isIP } from 'node:net'
import { formatPrefix, parsePrefix } from '../base/network.ts'
import type { GuardBook } from '../smtp/guard/create-guards.ts'
import { accountLimitNames, type AccountOverride } from '../smtp/guard/submission-limits.ts'
import type { Account } from '../store/accounts.ts'
import { AccountUnknown } from '../store/errors.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { type Fields, readAddress, readFields, readText } from './input.ts'

const mostOfAnything = 1_000_000_000

export function banRoutes(options: AdminOptions): Hono {
  const { clock } = options
  return new Hono()
    .get('/', (context) => {
      const { bans } = guardsOf(options)
      const address = context.req.query('ip')
      if (address === undefined) return context.json({ bans: bans.list() })
      const found = isIP(address) === 0 ? null : bans.find(address)
      return context.json({ bans: found === null ? [] : [found] })
    })
    .post('/', async (context) => {
      const guards = guardsOf(options)
      const fields = await readFields(context)
      const reason = fields['reason'] === undefined ? 'by hand' : readText(fields, 'reason')
      const forMs = readCount(fields, 'forMs')
      const until = forMs === null ? null : clock.now() + forMs
      const ban = guards.bans.add(readPrefix(readText(fields, 'prefix')), reason, until)
      await guards.flush()
      return context.json(ban, 201)
    })
    .delete('/:prefix', async (context) => {
      const guards = guardsOf(options)
      const prefix = readPrefix(context.req.param('prefix'))
      if (!guards.bans.lift(prefix)) {
        const remedy =
          'posthorn ban ls shows those there are; those of guards.banned stand in the configuration.'
        throw new AdminError(404, 'ban-unknown', `${prefix} is not banned by a command or a guard`, remedy)
      }
      await guards.flush()
      return context.json({ prefix })
    })
}

/** `/v1/sending/ADDRESS`: what an account may send and has sent. */
export function sendingRoutes(options: AdminOptions): Hono {
  return new Hono()
    .get('/:address', async (context) => {
      const account = await findAccount(options, context.req.param('address'))
      return context.json(shown(guardsOf(options), account))
    })
    .put('/:address', async (context) => {
      const guards = guardsOf(options)
      const account = await findAccount(options, context.req.param('address'))
      guards.submission.override(account.accountId, readOverride(await readFields(context)))
      await guards.flush()
      return context.json(shown(guards, account))
    })
    .delete('/:address', async (context) => {
      const guards = guardsOf(options)
      const account = await findAccount(options, context.req.param('address'))
      guards.submission.override(account.accountId, null)
      await guards.flush()
      return context.json(shown(guards, account))
    })
}

function shown({ submission }: GuardBook, { accountId, address }: Account): object {
  const override = submission.overrideOf(accountId)
  return {
    address,
    stopped: override.stopped === true,
    limits: submission.limitsOf(accountId),
    own: Object.keys(override).filter((name) => name !== 'stopped'),
    used: submission.used(accountId),
  }
}

async function findAccount({ store }: AdminOptions, text: string): Promise<Account> {
  const address = readAddress(text)
  const account = await store.findAccount(address)
  if (account === null) throw new AccountUnknown(address)
  return account
}

function readOverride(fields: Fields): AccountOverride {
  const override: Record<string, number | boolean> = {}
  for (const name of accountLimitNames) {
    const value = readCount(fields, name)
    if (value !== null) override[name] = value
  }
  const { stopped } = fields
  if (typeof stopped === 'boolean') override['stopped'] = stopped
  return override
}

function readCount(fields: Fields, name: string): number | null {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (
    typeof value === 'number' &&
    Number.isSafeInteger(value) &&
    value >= 0 &&
    (name === 'forMs' || value <= mostOfAnything)
  )
    return value
  throw new AdminError(400, 'bad-field', `${name} is no count`, `Send "${name}" as a whole number.`)
}

function readPrefix(text: string): string {
  const prefix = parsePrefix(text)
  if (prefix !== null) return formatPrefix(prefix)
  const remedy = 'Write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48.'
  throw new AdminError(400, 'bad-address', `"${text}" is no IP address and no network`, remedy)
}

function guardsOf({ guards }: AdminOptions): GuardBook {
  if (guards !== undefined) return guards
  throw new AdminError(409, 'no-guards', 'Nobody guards this server', 'Start it with posthorn serve.')
}
