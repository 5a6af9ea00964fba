import { CliError, exitCodes } from './cli-error.ts'
import type { Reached } from './reach.ts'

/** @throws {CliError} It is the Lab. */
export function onlyServer({ doors }: Reached) {
  const [only] = doors
  if (only !== undefined && doors.length === 1) return only
  const remedy = 'Add domains to a server of your own: posthorn serve --config FILE.'
  throw new CliError(exitCodes.refused, 'The Lab keeps the domains its own DNS knows', remedy, {
    code: 'lab-domains',
  })
}
