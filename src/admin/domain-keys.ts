import { type Context, Hono } from 'hono'
import type { DomainKey } from '../store/domain-keys.ts'
import type { AdminOptions } from './admin-options.ts'
import { AdminError } from './admin-error.ts'
import { checkRecords } from './check-records.ts'
import { domainRecords, keyRecord, type WantedRecord } from './dns-records.ts'
import { readDomain } from './input.ts'
import { makeKeyPair } from './make-keys.ts'

/** What may be known of a key. */
export interface ShownKey extends Omit<DomainKey, 'privateKey'> {
  readonly state: 'waiting' | 'active' | 'retired'
  readonly record: WantedRecord
}

const day = 86_400_000
/** Longer than most keep an answer that there is no such record, and than their copies of the zone take. */
const defaultOverlapMs = 2 * day
const longestOverlapMs = 365 * day
/** Keys of one domain: a record each, and a signature each while they are active. */
const keysMax = 20

/** Keys of our domains and the records that belong to them. A private key is never given out. */
export function domainKeyRoutes(options: AdminOptions): Hono {
  const { store, clock } = options
  return new Hono()
    .get('/:domain/keys', async (context) => {
      const domain = await knownDomain(options, context)
      return context.json({ domain, keys: shownKeys(await store.listDomainKeys(domain), clock.now()) })
    })
    .post('/:domain/keys', async (context) => {
      const domain = await knownDomain(options, context)
      const there = await store.listDomainKeys(domain)
      if (there.some(({ retiredAt }) => retiredAt === null)) {
        // A second pair would sign at once, with records that nobody has published.
        const remedy = `New ones in their place: posthorn domain key rotate ${domain}.`
        throw new AdminError(409, 'keys-there', `${domain} has keys already`, remedy)
      }
      await addKeys(options, domain, clock.now())
      return context.json({ domain, keys: shownKeys(await store.listDomainKeys(domain), clock.now()) }, 201)
    })
    .post('/:domain/keys/rotate', async (context) => {
      const domain = await knownDomain(options, context)
      const now = clock.now()
      const from = now + (await overlapOf(context))
      const before = await store.listDomainKeys(domain)
      // In this order: a crash between the two leaves keys too many, not too few.
      await addKeys(options, domain, before.length === 0 ? now : from)
      for (const key of before) {
        if (key.retiredAt === null) await store.retireDomainKey(domain, key.selector, from)
      }
      return context.json({ domain, keys: shownKeys(await store.listDomainKeys(domain), now) })
    })
    .post('/:domain/keys/:selector/retire', async (context) => {
      const domain = await knownDomain(options, context)
      const selector = context.req.param('selector')
      const there = await store.retireDomainKey(domain, selector, clock.now())
      if (!there) throw noSuchKey(domain, selector)
      return context.json({ domain, selector })
    })
    .delete('/:domain/keys/:selector', async (context) => {
      const domain = await knownDomain(options, context)
      const selector = context.req.param('selector')
      if (!(await store.removeDomainKey(domain, selector))) throw noSuchKey(domain, selector)
      return context.json({ domain, selector })
    })
    .get('/:domain/dns', async (context) => {
      const domain = await knownDomain(options, context)
      return context.json({ domain, records: await recordsOf(options, domain) })
    })
    .get('/:domain/check', async (context) => {
      const domain = await knownDomain(options, context)
      const records = await checkRecords(dnsOf(options).resolver, await recordsOf(options, domain))
      return context.json({ domain, sound: records.every(isSound), records })
    })
}

function isSound({ needed, state }: { needed: boolean; state: string }): boolean {
  return !needed || state === 'ok'
}

/** @throws {AdminError} */
export async function addKeys(
  { store, clock }: Pick<AdminOptions, 'store' | 'clock'>,
  domain: string,
  activeFrom: number,
): Promise<readonly DomainKey[]> {
  const existing = await store.listDomainKeys(domain)
  if (existing.length + 2 > keysMax) {
    const remedy = `Remove some that are retired: posthorn domain key remove ${domain} SELECTOR.`
    throw new AdminError(409, 'too-many-keys', `${domain} has ${existing.length} keys`, remedy)
  }
  const pair = await makeKeyPair(domain, existing, clock.now(), activeFrom)
  for (const key of pair) await store.addDomainKey(key)
  return pair
}

export function shownKeys(keys: readonly DomainKey[], now: number): ShownKey[] {
  return keys.map((key) => {
    const { domain, selector, algorithm, createdAt, activeFrom, retiredAt } = key
    const retired = retiredAt !== null && retiredAt <= now
    const state = retired ? 'retired' : activeFrom > now ? 'waiting' : 'active'
    return { domain, selector, algorithm, createdAt, activeFrom, retiredAt, state, record: keyRecord(key) }
  })
}

async function knownDomain({ store }: AdminOptions, context: Context): Promise<string> {
  const domain = readDomain(context.req.param('domain') ?? '')
  if ((await store.listDomains()).includes(domain)) return domain
  const remedy = 'posthorn domain list shows those there are.'
  throw new AdminError(404, 'domain-unknown', `${domain} is not a domain of this server`, remedy)
}

function noSuchKey(domain: string, selector: string): AdminError {
  const remedy = `posthorn domain keys ${domain} shows those there are.`
  return new AdminError(404, 'key-unknown', `${domain} has no key ${selector}`, remedy)
}

/** `{ "afterMs": 172800000 }`; without it two days. */
async function overlapOf(context: Context): Promise<number> {
  const text = await context.req.text()
  if (text === '') return defaultOverlapMs
  let afterMs: unknown
  try {
    afterMs = (JSON.parse(text) as { afterMs?: unknown } | null)?.afterMs ?? defaultOverlapMs
  } catch {
    throw new AdminError(400, 'bad-json', 'The request is not JSON', 'Send one JSON object.')
  }
  if (
    typeof afterMs === 'number' &&
    Number.isSafeInteger(afterMs) &&
    afterMs >= 0 &&
    afterMs <= longestOverlapMs
  )
    return afterMs
  const remedy = 'Send "afterMs" as milliseconds, 0 to a year.'
  throw new AdminError(400, 'bad-number', 'afterMs is no time that makes sense', remedy)
}

async function recordsOf(options: AdminOptions, domain: string): Promise<WantedRecord[]> {
  const keys = await options.store.listDomainKeys(domain)
  return domainRecords(domain, dnsOf(options).hostname, keys, options.clock.now())
}

function dnsOf({ dns }: AdminOptions): NonNullable<AdminOptions['dns']> {
  if (dns !== undefined) return dns
  throw new AdminError(409, 'no-dns', 'DNS cannot be asked here', 'Ask the server: posthorn serve.')
}
