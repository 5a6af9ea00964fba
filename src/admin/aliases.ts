import { Hono } from 'hono'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { readAddress, readFields, readText, readTexts } from './input.ts'

export function aliasRoutes({ store }: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => context.json({ aliases: await store.listAliases() }))
    .post('/', async (context) => {
      const fields = await readFields(context)
      const address = readAddress(readText(fields, 'address'))
      const targets = readTexts(fields, 'targets').map(readAddress)
      if (targets.includes(address)) {
        const remedy = 'Leave it out, or make an account of that name.'
        throw new AdminError(400, 'bad-alias', `${address} would lead to itself`, remedy)
      }
      await store.addAlias(address, targets)
      return context.json({ address, targets }, 201)
    })
    .delete('/:address', async (context) => {
      const address = readAddress(context.req.param('address'))
      if (!(await store.listAliases()).some((alias) => alias.address === address)) {
        const remedy = 'posthorn alias list shows those there are.'
        throw new AdminError(404, 'alias-unknown', `There is no alias ${address}`, remedy)
      }
      await store.removeAlias(address)
      return context.json({ address })
    })
}
