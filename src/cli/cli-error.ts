/** What a command ends with, so that scripts can tell why. */
export const exitCodes = {
  ok: 0,
  /** The server, or a remote one, said no. */
  refused: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  /** EX_TEMPFAIL of sysexits: the same command may work later. */
  tryLater: 75,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A command that could not do it: what is wrong, and what to do next. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  /** A sentence; '' when nothing helps. */
  readonly remedy: string
  /** For programs, kebab-case. */
  readonly code: string

  constructor(
    exitCode: ExitCode,
    message: string,
    remedy: string,
    options: ErrorOptions & { readonly code?: string } = {},
  ) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.remedy = remedy
    this.code = options.code ?? 'failed'
  }
}
