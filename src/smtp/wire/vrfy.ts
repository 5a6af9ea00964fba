import { Cursor } from '../../base/cursor.ts'
import { type Mailbox, parseMailbox, refuseUtf8 } from './path.ts'
import { Refusal, refuse } from './reply.ts'

/**
 * What follows VRFY or EXPN: String [ SP "SMTPUTF8" ], RFC 5321 §3.5.1 and RFC 6531 §3.7.4.2.
 *
 * @param args One char per octet.
 * @param verb Named in the error.
 * @returns The address, with or without its angle brackets; null when what is asked for is no address.
 * @throws {Refusal} 501 for nothing at all, 553 5.6.7 for UTF-8 without the parameter.
 */
export function parseVrfy(args: string, verb: 'VRFY' | 'EXPN'): Mailbox | null {
  const [, written = '', parameter] = /^ *(.*?)( +SMTPUTF8)? *$/i.exec(args) ?? []
  if (written === '') throw refuse(501, '5.5.4', `Cannot read ${verb}: expected an address`)
  const utf8 = parameter !== undefined
  if (!utf8) refuseUtf8(written, 'RCPT')
  const cursor = new Cursor(/^<(.*)>$/.exec(written)?.[1] ?? written)
  try {
    const mailbox = parseMailbox(cursor, 'RCPT', { bare: true, utf8 })
    return cursor.atEnd ? mailbox : null
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}
