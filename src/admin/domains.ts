import { Hono } from 'hono'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { addKeys, shownKeys } from './domain-keys.ts'
import { readDomain, readFields, readText } from './input.ts'

export function domainRoutes(options: AdminOptions): Hono {
  const { store, clock, domainsChanged } = options
  return new Hono()
    .get('/', async (context) =>
      context.json({ domains: await store.listDomains(), backups: await store.backupDomains.list() }),
    )
    .post('/', async (context) => {
      const fields = await readFields(context)
      const domain = readDomain(readText(fields, 'domain'))
      if (fields['backup'] === true) {
        const primary = fields['primary'] == null ? null : readDomain(readText(fields, 'primary'))
        await store.backupDomains.add({ domain, primary })
        return context.json({ domain, primary }, 201)
      }
      await store.addDomain(domain)
      await domainsChanged()
      const keys = await addKeys(options, domain, clock.now())
      return context.json({ domain, keys: shownKeys(keys, clock.now()) }, 201)
    })
    .delete('/:domain', async (context) => {
      const domain = readDomain(context.req.param('domain'))
      if (await store.backupDomains.remove(domain)) return context.json({ domain })
      if (!(await store.listDomains()).includes(domain)) {
        const remedy = 'posthorn domain list shows those there are.'
        throw new AdminError(404, 'domain-unknown', `${domain} is not a domain of this server`, remedy)
      }
      await store.removeDomain(domain)
      await domainsChanged()
      return context.json({ domain })
    })
}
