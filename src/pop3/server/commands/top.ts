import { parseTop } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import { openMessage, readTop } from '../read-message.ts'
import type { Command } from '../session.ts'

/** Sends the header and the first lines of the body, RFC 1939 §7. */
export const top: Command = {
  keyword: 'TOP',
  phases: ['transaction'],

  async run(session, args) {
    const { messageNumber, lines } = parseTop(args)
    const open = await openMessage(session, session.maildrop!.message(messageNumber))
    return ok('', { kind: 'octets', pieces: readTop(session, open, lines) })
  },
}
