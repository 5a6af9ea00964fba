import { parseOptionalMessageNumber } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Maildrop } from '../maildrop.ts'
import type { Command } from '../session.ts'

/** The unique-id listings, RFC 1939 §7. */
export const uidl: Command = {
  keyword: 'UIDL',
  phases: ['transaction'],

  run(session, args) {
    const maildrop = session.maildrop!
    const messageNumber = parseOptionalMessageNumber(args)
    if (messageNumber === null) return ok('', { kind: 'lines', lines: uniqueIdListings(maildrop) })
    return ok(`${messageNumber} ${maildrop.message(messageNumber).uniqueId}`)
  },
}

function* uniqueIdListings(maildrop: Maildrop): Iterable<string> {
  for (const { messageNumber, uniqueId } of maildrop.messages()) yield `${messageNumber} ${uniqueId}`
}
