/** The `posthorn` command. Reads the arguments of this process and exports nothing. */
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { CommanderError } from 'commander'
import { exitCodes } from './cli-error.ts'
import { createProgram } from './program.ts'
import { complain } from './run-command.ts'
import { findSendmail } from './sendmail/find.ts'

// `| head` goes away early, which is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

/** Beside src/ in a checkout and beside dist/ in a package. */
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** `npm start -- COMMAND` comes in as `start COMMAND`; without a command it is the Lab. */
function commandLine([first, ...rest]: string[]): string[] {
  if (first !== 'start') return first === undefined ? [] : [first, ...rest]
  return rest.length === 0 || rest[0]!.startsWith('-') ? ['lab', ...rest] : rest
}

/** A server may run for months and end by a kill: what the launcher's cache is for should be kept before. */
const cacheAfterMs = 5_000
setTimeout(flushCompileCache, cacheAfterMs).unref()

const args = commandLine(process.argv.slice(2))

/** What the arguments of sendmail mean is not for commander to say: `-V`, for one, is no question for the version there. */
async function run(): Promise<void> {
  const call = findSendmail(args)
  if (call === null) {
    await createProgram(version).parseAsync(args, { from: 'user' })
    return
  }
  const { runSendmail } = await import('./sendmail/run.ts')
  const code = await runSendmail(call.args, call.where)
  if (code === 'queue')
    await createProgram(version).parseAsync([...call.before, 'queue', 'ls'], { from: 'user' })
  else process.exitCode = code
}

try {
  await run()
} catch (error) {
  // Commander has printed its own complaint, or the help that was asked for.
  if (error instanceof CommanderError)
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  else process.exitCode = complain(error, args.includes('--json'))
}
