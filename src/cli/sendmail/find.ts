import type { ReachOptions } from '../reach.ts'

export interface SendmailInvocation {
  /** What stood before the word, as it was. */
  readonly before: readonly string[]
  readonly where: ReachOptions
  /** What stood behind it. */
  readonly args: readonly string[]
}

/** `posthorn [--config FILE] [--lab] [--json] sendmail …`: null when another command is meant, or the help. */
export function findSendmail(args: readonly string[]): SendmailInvocation | null {
  let config: string | null = null
  let lab = false
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!
    if (argument === 'sendmail') {
      const behind = args.slice(at + 1)
      if (behind.length === 1 && behind[0] === '--help') return null
      const where = { ...(config === null ? {} : { config }), ...(lab ? { lab } : {}) }
      return { before: args.slice(0, at), where, args: behind }
    }
    if (argument === '--config') config = args[++at] ?? ''
    else if (argument.startsWith('--config=')) config = argument.slice('--config='.length)
    else if (argument === '--lab') lab = true
    else if (argument !== '--json') return null
  }
  return null
}
