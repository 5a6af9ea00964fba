import type { Hono } from 'hono'
import type { Config } from '../base/config.ts'
import { createAdminApp } from '../admin/create-admin-app.ts'
import { hashPassword } from '../auth/password-hash.ts'
import { systemClock } from '../base/clock.ts'
import { createResolver } from '../dns/stub-resolver.ts'
import { createLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { StoreInUse } from '../store/errors.ts'
import { firstDomain } from '../daemon/first-domain.ts'
import { journeysAtLevel } from '../daemon/journeys-at-level.ts'
import { makeHandIn } from '../daemon/make-hand-in.ts'
import { makeSigner } from '../daemon/make-signer.ts'
import { openJourneys } from '../store/journeys/open.ts'
import { openGuardBook } from '../smtp/guard/create-guards.ts'
import { openNotes } from '../store/notes/open-notes.ts'
import { openReceivedReports } from '../reports/received/open.ts'
import { openStore } from '../store/open.ts'
import { CliError, exitCodes } from './cli-error.ts'

/**
 * The admin API on a data folder that no process owns; this one owns it until `close`.
 *
 * @param patient Whether to come back with null when somebody owns it, instead of giving up.
 * @throws {CliError}
 */
export async function openDirectly(
  config: Config,
  patient: boolean,
): Promise<{ app: Hono; close(): Promise<void> } | null> {
  const log = createLog((line) => process.stderr.write(line), 'error', systemClock.now)
  const { limits, data: folder } = config
  const surroundings = { clock: systemClock, random: systemRandom, log }
  // As serve does: what is made here is for its owner only.
  process.umask(0o077)
  const store = await openStore({ folder, limits, surroundings }).catch((error: unknown) => {
    if (!(error instanceof StoreInUse)) throw error
    if (patient) return null
    const remedy = 'It may be starting or stopping, or serve the Lab: try again in a moment.'
    const message = `Another process holds ${folder} and does not answer`
    throw new CliError(exitCodes.tryLater, message, remedy, { cause: error, code: 'store-in-use' })
  })
  if (store === null) return null
  const journeys = await openJourneys({ folder, limits, log, clock: systemClock }).catch(
    async (error: unknown) => {
      await store.close()
      throw error
    },
  )
  const notes = await openNotes({ disk: journeys, limits, clock: systemClock, log })
  const guards = openGuardBook({ config: config.guards, limits, clock: systemClock, log, notes })
  const resolver = createResolver({ ...config.dns, ...surroundings })
  const received = openReceivedReports(folder, limits, log)
  const { hostname } = config
  const world = { clock: systemClock, random: systemRandom }
  const signer = makeSigner({ store, clock: systemClock, log, limits })
  const defaultDomain = () => firstDomain(store, hostname)
  const app = createAdminApp({
    reports: { received, reporter: null },
    ...{ store, journeys, queue: null, clock: systemClock, log, hashPassword, guards },
    ...{ status: null, stop: null },
    transfer: {
      limits,
      journeys: journeysAtLevel(() => config.journey.level, journeys),
      random: systemRandom,
    },
    handIn: { ...makeHandIn({ config, world, store, journeys, signer }), defaultDomain },
    dataFolder: folder,
    dns: { hostname, resolver },
    domainsChanged: async () => {},
  })
  return {
    app,
    async close() {
      await received.close()
      await notes.close()
      resolver.close()
      await journeys.close()
      await store.close()
    },
  }
}
