import { parseMessageNumber } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { MaildropMessage } from '../maildrop.ts'
import { openMessage, type OpenMessage, readMessage } from '../read-message.ts'
import type { Command, Session } from '../session.ts'

/** Sends a message, RFC 1939 §5. It stays in the maildrop: only DELE and QUIT together remove it. */
export const retr: Command = {
  keyword: 'RETR',
  phases: ['transaction'],

  async run(session, args) {
    const message = session.maildrop!.message(parseMessageNumber(args))
    const open = await openMessage(session, message)
    const pieces = retrieve(session, message, open)
    return {
      reply: ok(`${message.octets} octets`, { kind: 'octets', pieces }),
      next: 'command',
      about: message,
    }
  },
}

/** What is cut short was not collected. */
async function* retrieve(
  session: Session,
  message: MaildropMessage,
  open: OpenMessage,
): AsyncIterable<Uint8Array> {
  yield* readMessage(session, open)
  session.collection.retrieved(message, open.email.journeyId)
}
