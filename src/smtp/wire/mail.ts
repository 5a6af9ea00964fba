import { Cursor } from '../../base/cursor.ts'
import { formatParameters, type Mailbox, parseParameters, parsePath } from './path.ts'
import { refuse } from './reply.ts'

/** MAIL, RFC 5321 §4.1.1.2. */
export interface MailCommand {
  /** Null stands for `<>`: the message is itself a report, RFC 5321 §4.5.5. */
  readonly reversePath: Mailbox | null
  /** The client's estimate in octets, CRLFs counted, RFC 1870 §5. Null when not declared. */
  readonly size: number | null
  /** RFC 6152 §2; null when not declared. */
  readonly body: '7BIT' | '8BITMIME' | null
  /** All of them as written, keywords in capitals: `SIZE=10`. */
  readonly parameters: readonly string[]
}

/**
 * Reads what follows the verb: `FROM:` Reverse-path [SP Mail-parameters].
 *
 * @param args The command line after `MAIL `, without CRLF, one char per octet.
 * @param extended Whether EHLO came: parameters are only known after it.
 * @throws {Refusal} 501 for bad syntax, 555 for a parameter that EHLO did not announce.
 */
export function parseMail(args: string, extended: boolean): MailCommand {
  const cursor = new Cursor(args)
  if (!cursor.accept('FROM:')) throw refuse(501, '5.5.4', 'Cannot read MAIL: expected FROM:')
  // RFC 5321 §3.3 forbids a space here; the lecture and old clients write it, docs/decisions/001.
  cursor.skipSpaces()
  const reversePath = cursor.accept('<>') ? null : parsePath(cursor, 'MAIL')
  let size: number | null = null
  let body: MailCommand['body'] = null
  const parameters = parseParameters(cursor, 'MAIL')
  for (const [keyword, value] of parameters) {
    if (extended && keyword === 'SIZE') size = parseOctetCount(value)
    else if (extended && keyword === 'BODY') body = parseBody(value)
    // RFC 4954 §5: whoever is named there is not trusted further than the one who logged in.
    else if (extended && keyword === 'AUTH' && value !== null) continue
    // RFC 5321 §4.1.1.11 asks for 555 here, not 504.
    else throw refuse(555, '5.5.4', `Cannot accept MAIL: parameter ${keyword} is unknown`)
  }
  return { reversePath, size, body, parameters: formatParameters(parameters) }
}

/** size-value = 1*20DIGIT, RFC 1870 §4. */
function parseOctetCount(value: string | null): number {
  if (value === null || !/^[0-9]{1,20}$/.test(value)) {
    throw refuse(501, '5.5.4', 'Cannot read MAIL: SIZE is not a number')
  }
  return Number(value)
}

function parseBody(value: string | null): '7BIT' | '8BITMIME' {
  const upper = value?.toUpperCase()
  if (upper === '7BIT' || upper === '8BITMIME') return upper
  throw refuse(501, '5.5.4', 'Cannot read MAIL: BODY is neither 7BIT nor 8BITMIME')
}
