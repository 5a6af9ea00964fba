import { BodyUnreadable } from '../../store/errors.ts'
import type { Email } from '../../store/store.ts'
import { refuse } from '../wire/reply.ts'
import { TopReader } from '../wire/top-reader.ts'
import type { MaildropMessage } from './maildrop.ts'
import type { Session } from './session.ts'

/** Octets read from the store at once: what a session holds in memory for a message of any size. */
const pieceOctets = 65_536

/** A message about to be sent: its first piece has been read, so an unreadable one is refused before +OK. */
export interface OpenMessage {
  readonly email: Email
  readonly first: Uint8Array
}

/** @throws {Refusal} Another agent removed the message, or it cannot be read now. */
export async function openMessage(session: Session, message: MaildropMessage): Promise<OpenMessage> {
  const { store, log } = session.options
  const maildrop = session.maildrop!
  const [email = null] = maildrop.isThere(message)
    ? await store.getEmails(maildrop.accountId, [message.emailId])
    : []
  if (email === null) throw refuse('message gone')
  try {
    return { email, first: await store.readBody(email.body, 0, pieceOctets) }
  } catch (error) {
    if (!(error instanceof BodyUnreadable)) throw error
    log.error('message cannot be read', { accountId: maildrop.accountId, uid: message.uid, error })
    throw refuse('message cannot be read, try again later', 'SYS/TEMP', { cause: error })
  }
}

/** Prefix and body, as they were received. @throws {BodyUnreadable} In the middle: the connection must end. */
export async function* readMessage(session: Session, open: OpenMessage): AsyncIterable<Uint8Array> {
  const { email, first } = open
  const prefix = Buffer.from(email.prefix, 'latin1')
  yield prefix.length === 0 ? first : Buffer.concat([prefix, first])
  let offset = first.length
  while (offset < email.body.octets) {
    const piece = await session.options.store.readBody(email.body, offset, pieceOctets)
    if (piece.length === 0) throw new BodyUnreadable('Body is shorter than its row says')
    yield piece
    offset += piece.length
  }
}

/** Header, empty line and the first lines of the body; what comes after is not read from the store. */
export async function* readTop(
  session: Session,
  open: OpenMessage,
  lines: number,
): AsyncIterable<Uint8Array> {
  const top = new TopReader(lines)
  for await (const piece of readMessage(session, open)) {
    yield top.push(piece)
    if (top.done) return
  }
}
