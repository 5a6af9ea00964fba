import { parseMessageNumber } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Command } from '../session.ts'

/** Marks a message as deleted, RFC 1939 §5; QUIT removes it. */
export const dele: Command = {
  keyword: 'DELE',
  phases: ['transaction'],

  run(session, args) {
    const maildrop = session.maildrop!
    const message = maildrop.message(parseMessageNumber(args))
    maildrop.markDeleted(message)
    return { reply: ok(`message ${message.messageNumber} deleted`), next: 'command', about: message }
  },
}
