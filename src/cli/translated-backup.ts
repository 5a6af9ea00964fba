import { translateBackupError } from '../admin/backup.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { exitCodeOf } from './work-job.ts'

/** Does here what is else asked of a server, and says what went wrong in the same words. @throws {CliError} */
export async function translatedBackup<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CliError) throw error
    const { code, message, remedy, status } = translateBackupError(error)
    // Nothing we foresaw: it has a stack.
    if (status === 500) throw error
    const exitCode = exitCodeOf[status] ?? exitCodes.refused
    throw new CliError(exitCode, message, remedy, { code, cause: error })
  }
}
