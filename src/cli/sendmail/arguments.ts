/** The command line of sendmail, as programs have written it for forty years. */

export interface SendmailCall {
  readonly kind: 'send'
  /** As written after -f or -r; null: whoever calls. */
  readonly sender: string | null
  readonly fullName: string | null
  /** As written; each may be a list. */
  readonly recipients: readonly string[]
  /** -t */
  readonly fromHeader: boolean
  /** -i: a line with a dot alone does not end the message. */
  readonly dotsAreText: boolean
  /** -N, -R and -V: RFC 3461. */
  readonly notify: string | null
  readonly ret: 'FULL' | 'HDRS' | null
  readonly envid: string | null
}

/** `nothing`: what it asks for is always done (the queue runs by itself, aliases need no rebuilding). */
export type SendmailRequest = SendmailCall | { readonly kind: 'queue' } | { readonly kind: 'nothing' }

/** The arguments make no sense: EX_USAGE. */
export class SendmailUsage extends Error {}

/** Their value stands behind them or is the next argument. */
const withValue = new Set([...'ABCFfhLMNOopRrVXx'])
/** Their value, if any, stands directly behind them. */
const withRest = new Set([...'bdeq'])
/** Say how the work is done, or what has no meaning here. */
const ignored = new Set([...'ABCdeGhLMmnOopUvXxcQs'])

/**
 * @param args After the command's own name. As with getopt, letters without a value may stand together, and the first
 *   argument that is no option ends them: what follows are recipients, also when one begins with a hyphen.
 * @throws {SendmailUsage}
 */
export function readSendmailArguments(args: readonly string[]): SendmailRequest {
  const call = {
    ...{ kind: 'send' as const, sender: null as string | null, fullName: null as string | null },
    ...{ fromHeader: false, dotsAreText: false, notify: null as string | null },
    ...{ ret: null as SendmailCall['ret'], envid: null as string | null },
  }
  const options = [...optionsOf(args)]
  const { rest } = options.at(-1)!
  let other: SendmailRequest | null = null
  for (const { letter, value } of options) {
    if (letter === '') continue
    if (letter === 'f' || letter === 'r') call.sender = value
    else if (letter === 'F') call.fullName = value
    else if (letter === 't') call.fromHeader = true
    else if (letter === 'i' || (letter === 'o' && value === 'i')) call.dotsAreText = true
    else if (letter === 'N') call.notify = readNotify(value)
    else if (letter === 'R') call.ret = readReturn(value)
    else if (letter === 'V') call.envid = value
    else if (letter === 'b') other = otherMode(value) ?? other
    else if (letter === 'q' || letter === 'I') other ??= { kind: 'nothing' }
    else if (!ignored.has(letter)) throw new SendmailUsage(`There is no option -${letter}`)
  }
  if (other !== null) return other
  return { ...call, recipients: args.slice(rest) }
}

interface Option {
  /** '' for what ends them. */
  readonly letter: string
  readonly value: string
  /** Index of the first argument behind it. */
  readonly rest: number
}

function* optionsOf(args: readonly string[]): Generator<Option> {
  let at = 0
  for (; at < args.length; at++) {
    const argument = args[at]!
    if (argument === '--') {
      at++
      break
    }
    if (!argument.startsWith('-') || argument === '-') break
    for (let index = 1; index < argument.length; index++) {
      const letter = argument[index]!
      const behind = argument.slice(index + 1)
      if (!withValue.has(letter) && !withRest.has(letter)) {
        yield { letter, value: '', rest: at + 1 }
        continue
      }
      if (withValue.has(letter) && behind === '') {
        if (++at >= args.length) throw new SendmailUsage(`Option -${letter} needs a value`)
        yield { letter, value: args[at]!, rest: at + 1 }
      } else yield { letter, value: behind, rest: at + 1 }
      break
    }
  }
  yield { letter: '', value: '', rest: at }
}

/** -bm is what we do anyway. */
function otherMode(mode: string): SendmailRequest | null {
  if (mode === 'm') return null
  if (mode === 'p') return { kind: 'queue' }
  if (mode === 'i' || mode === 'd' || mode === 'D' || mode === 'H') {
    if (mode === 'i') return { kind: 'nothing' }
    throw new SendmailUsage(`-b${mode} starts a server: posthorn serve does that`)
  }
  throw new SendmailUsage(`Mode -b${mode} is not here; -bm sends, -bp shows the queue`)
}

/** Dsn-notify as sendmail takes it, in any case. */
function readNotify(value: string): string {
  const keywords = value.toUpperCase().split(',')
  const known = keywords.every((keyword) => ['SUCCESS', 'FAILURE', 'DELAY'].includes(keyword))
  if (value.toUpperCase() === 'NEVER' || (known && keywords.length <= 3)) return value.toUpperCase()
  throw new SendmailUsage('-N takes never, or a list of success, failure and delay')
}

function readReturn(value: string): 'FULL' | 'HDRS' {
  if (/^full$/i.test(value)) return 'FULL'
  if (/^hdrs$/i.test(value)) return 'HDRS'
  throw new SendmailUsage('-R takes full or hdrs')
}
