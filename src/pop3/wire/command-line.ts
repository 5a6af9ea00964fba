import { misuse } from './reply.ts'

export interface CommandLine {
  /** In capitals: RFC 1939 §3 ignores case. */
  readonly keyword: string
  /** What follows the first space, as it is: a password may hold and end with spaces. */
  readonly args: string
}

/**
 * command = keyword *(SP param) CRLF
 *
 * RFC 2449 §3. The keyword is three or four letters; a few agents put a space after it.
 *
 * @param line Without CRLF, one char per octet.
 * @throws {Refusal} There is no keyword, or a control character.
 */
export function parseCommandLine(line: string): CommandLine {
  if (/[\x00-\x1f\x7f]/.test(line)) throw misuse('Cannot read the line: it has control characters')
  const space = line.indexOf(' ')
  const keyword = space < 0 ? line : line.slice(0, space)
  if (!/^[A-Za-z]{3,4}$/.test(keyword)) throw misuse('Cannot read the line: expected a command')
  return { keyword: keyword.toUpperCase(), args: space < 0 ? '' : line.slice(space + 1) }
}

/** @throws {Refusal} The command has arguments and should have none. */
export function expectNothing(args: string): void {
  if (args.trim() !== '') throw misuse('Cannot read the command: it takes no argument')
}

/**
 * A number as message-numbers and line counts are written, RFC 1939 §4: base 10.
 *
 * @returns Up to Infinity: who asks for the first 10^400 lines gets the message, who asks for such a message hears that
 * there is none.
 * @throws {Refusal} It is not made of digits only.
 */
export function parseNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw misuse('Cannot read the number: expected digits')
  return Number(text)
}

/** @returns The message-number. @throws {Refusal} */
export function parseMessageNumber(args: string): number {
  return parseNumber(args.trim())
}

/** `[msg]`: null when there is none. @throws {Refusal} */
export function parseOptionalMessageNumber(args: string): number | null {
  return args.trim() === '' ? null : parseMessageNumber(args)
}

/** TOP: `msg n`, RFC 1939 §7. @throws {Refusal} */
export function parseTop(args: string): { readonly messageNumber: number; readonly lines: number } {
  const found = /^ *([^ ]+) +([^ ]+) *$/.exec(args)
  if (found === null) throw misuse('Cannot read TOP: expected a message and a number of lines')
  return { messageNumber: parseNumber(found[1]!), lines: parseNumber(found[2]!) }
}
