import { stat } from 'node:fs/promises'
import { CliError, exitCodes } from './cli-error.ts'

/**
 * What root files while no server runs must belong to the server's user, or the server could not open it: root becomes the
 * owner of the data folder, for the rest of this process. Others stay who they are.
 *
 * @throws {CliError} There is no such folder: root would make it its own.
 */
export async function becomeOwner(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const facts = await stat(folder).catch((error: unknown) => {
    const remedy = 'Start the server once: posthorn serve.'
    const options = { cause: error, code: 'no-data' }
    throw new CliError(exitCodes.tryLater, `There is no data folder ${folder}`, remedy, options)
  })
  if (facts.uid === 0) return
  process.setgroups!([facts.gid])
  process.setgid!(facts.gid)
  process.setuid!(facts.uid)
}
