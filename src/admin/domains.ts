import { Hono } from 'hono'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { readDomain, readFields, readText } from './input.ts'

export function domainRoutes({ store, domainsChanged }: AdminOptions): Hono {
  return new Hono()
    .get('/', async (context) => context.json({ domains: await store.listDomains() }))
    .post('/', async (context) => {
      const domain = readDomain(readText(await readFields(context), 'domain'))
      await store.addDomain(domain)
      await domainsChanged()
      return context.json({ domain }, 201)
    })
    .delete('/:domain', async (context) => {
      const domain = readDomain(context.req.param('domain'))
      if (!(await store.listDomains()).includes(domain)) {
        const remedy = 'posthorn domain list shows those there are.'
        throw new AdminError(404, 'domain-unknown', `${domain} is not a domain of this server`, remedy)
      }
      await store.removeDomain(domain)
      await domainsChanged()
      return context.json({ domain })
    })
}
