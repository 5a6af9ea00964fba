/** How a command ended, RFC 3501 §7.1. Becomes the tagged response. */
export interface CommandResult {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** Response code without its brackets, RFC 3501 §7.1 and RFC 5530; null where none belongs. */
  readonly code: string | null
  /** For people; printable ASCII. */
  readonly text: string
}

/** Ends the current command with a result of our choosing; the session goes on. */
export class Refusal extends Error {
  readonly result: CommandResult

  constructor(result: CommandResult, options?: ErrorOptions) {
    super(`${result.status} ${result.text}`, options)
    this.name = 'Refusal'
    this.result = result
  }
}

/** NO: the command was understood and cannot be carried out. */
export function refuse(code: string | null, text: string, options?: ErrorOptions): Refusal {
  return new Refusal({ status: 'NO', code, text }, options)
}

/** BAD: the command breaks the protocol. */
export function bad(text: string, code: string | null = null): Refusal {
  return new Refusal({ status: 'BAD', code, text })
}

export function ok(text: string, code: string | null = null): CommandResult {
  return { status: 'OK', code, text }
}
