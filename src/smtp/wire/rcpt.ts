import { Cursor } from '../../base/cursor.ts'
import { formatParameters, type Mailbox, parseParameters, parsePath } from './path.ts'
import { refuse } from './reply.ts'

/** RCPT, RFC 5321 §4.1.1.3. */
export interface RcptCommand {
  /** The domain is '' for `<Postmaster>`, which every server accepts. */
  readonly forwardPath: Mailbox
  /** All of them as written, keywords in capitals. */
  readonly parameters: readonly string[]
}

/**
 * Reads what follows the verb: `TO:` Forward-path [SP Rcpt-parameters].
 *
 * @param args The command line after `RCPT `, without CRLF, one char per octet.
 * @throws {Refusal} 501 for bad syntax, 555 for a parameter that EHLO did not announce.
 */
export function parseRcpt(args: string): RcptCommand {
  const cursor = new Cursor(args)
  if (!cursor.accept('TO:')) throw refuse(501, '5.5.4', 'Cannot read RCPT: expected TO:')
  // As in MAIL, docs/decisions/001.
  cursor.skipSpaces()
  const forwardPath = parsePath(cursor, 'RCPT', true)
  const parameters = parseParameters(cursor, 'RCPT')
  for (const keyword of parameters.keys()) {
    throw refuse(555, '5.5.4', `Cannot accept RCPT: parameter ${keyword} is unknown`)
  }
  return { forwardPath, parameters: formatParameters(parameters) }
}
