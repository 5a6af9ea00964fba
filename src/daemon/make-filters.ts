/** Makes what has a say over incoming mail, in the order in which it is asked. A room is loaded only when it is used. */
import type { FilterSurroundings, LookUp } from '../smtp/filter/reach.ts'
import type { JudgedMessage } from '../smtp/guard/judge-sender.ts'
import type { Guards } from '../smtp/guard/create-guards.ts'
import type { SmtpFilter } from '../smtp/filter/filter.ts'
import type { Config } from '../base/config.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { World } from './world.ts'
import { reverseName } from '../dns/reverse-name.ts'

/** Of a client's name; mail does not wait longer for what is only told on. */
const clientNameTimeoutMs = 5_000

export interface Filters {
  readonly filters: readonly SmtpFilter[]
  /** Something is kept open between sessions. */
  readonly keepsOpen: boolean
  /** Ends what is kept open between messages. */
  close(): void
}

export interface FilterParts {
  readonly config: Config
  readonly world: World
  readonly guards: Pick<Guards, 'filters'>
  /** Told of each sender that was judged. */
  readonly judged?: (judged: JudgedMessage) => void
}

export async function makeFilters(parts: FilterParts): Promise<Filters> {
  const judges = await makeJudges(parts)
  const programs = await makePrograms(parts)
  return { ...programs, filters: [...parts.guards.filters, ...judges, ...programs.filters] }
}

/** Is the sender genuine: SPF, DKIM, DMARC. */
async function makeJudges({ config, world, judged }: FilterParts): Promise<readonly SmtpFilter[]> {
  const { checks, hostname, limits } = config
  if (checks.spf === 'off' && !checks.dkim && checks.dmarc === 'off') return []
  const { createSenderJudge } = await import('../smtp/guard/judge-sender.ts')
  const { resolver, clock, log } = world
  return [
    createSenderJudge({
      policy: checks,
      ...{ resolver, hostname, limits, clock, log },
      ...(judged === undefined ? {} : { judged }),
    }),
  ]
}

/** Programs of others: milters, Rspamd, ClamAV, hooks. */
export async function makePrograms({
  config,
  world,
}: Pick<FilterParts, 'config' | 'world'>): Promise<Filters> {
  const { milters, hooks, rspamd, clamav } = config.filters
  const filters: SmtpFilter[] = []
  const closers: (() => void)[] = []
  if (milters.length === 0 && hooks.length === 0 && rspamd === null && clamav === null)
    return { filters, keepsOpen: false, close() {} }
  const around = await surroundings(world)
  const { KeeperPool } = await import('../smtp/filter/keeper.ts')
  const pool = new KeeperPool(config.limits.filterMemoryOctets)
  for (const milter of milters) {
    const { createMilterFilter } = await import('../smtp/filter/milter/filter.ts')
    filters.push(createMilterFilter(milter, config.limits, around, pool))
  }
  if (rspamd !== null) {
    const { createRspamdFilter } = await import('../smtp/filter/rspamd/filter.ts')
    const { createHttpCaller } = await import('../smtp/filter/http-call.ts')
    const caller = createHttpCaller(rspamd, around)
    closers.push(() => caller.close())
    filters.push(createRspamdFilter(rspamd, { around, caller, pool, limits: config.limits }))
  }
  if (clamav !== null) {
    const { createClamavFilter } = await import('../smtp/filter/clamav/filter.ts')
    filters.push(createClamavFilter(clamav, around))
  }
  for (const hook of hooks) {
    const { createHookFilter } = await import('../smtp/filter/hook/filter.ts')
    const { createHttpCaller } = await import('../smtp/filter/http-call.ts')
    const caller = createHttpCaller(hook, around)
    closers.push(() => caller.close())
    const { limits } = config
    filters.push(createHookFilter(hook, { around, caller, pool, limits, random: world.random }))
  }
  return {
    filters,
    keepsOpen: closers.length > 0,
    close() {
      for (const close of closers) close()
    },
  }
}

async function surroundings({
  resolver,
  dialler,
  programDialler,
  authorities,
  clock,
  log,
}: World): Promise<FilterSurroundings> {
  const { createReach } = await import('../smtp/filter/reach.ts')
  const lookUp = addressesIn(resolver)
  return {
    reach: createReach(programDialler ?? dialler, lookUp, clock),
    clock,
    authorities,
    log: log.with({ part: 'filter' }),
    clientName: (address) =>
      Promise.race([
        confirmedName(resolver, lookUp, address).catch(() => null),
        new Promise<null>((resolve) => clock.after(clientNameTimeoutMs, () => resolve(null))),
      ]),
  }
}

function addressesIn(resolver: Resolver): LookUp {
  return async (host) => {
    const answers = await Promise.all([resolver.query(host, 'A'), resolver.query(host, 'AAAA')])
    return answers.flatMap(({ records }) => records)
  }
}

/** RFC 8601 §2.7.3 (iprev): the name counts only when it has the address. */
async function confirmedName(resolver: Resolver, lookUp: LookUp, address: string): Promise<string | null> {
  const { records } = await resolver.query(reverseName(address), 'PTR')
  const [name] = records
  if (name === undefined) return null
  const addresses = await lookUp(name)
  return addresses.some((one) => reverseName(one) === reverseName(address)) ? name : null
}
