import { parseOptionalMessageNumber } from '../../wire/command-line.ts'
import { ok } from '../../wire/reply.ts'
import type { Maildrop } from '../maildrop.ts'
import type { Command } from '../session.ts'

/** The scan listings, RFC 1939 §5. */
export const list: Command = {
  keyword: 'LIST',
  phases: ['transaction'],

  run(session, args) {
    const maildrop = session.maildrop!
    const messageNumber = parseOptionalMessageNumber(args)
    if (messageNumber === null) {
      const text = `${maildrop.count} messages (${maildrop.octets} octets)`
      return ok(text, { kind: 'lines', lines: scanListings(maildrop) })
    }
    return ok(`${messageNumber} ${maildrop.message(messageNumber).octets}`)
  },
}

function* scanListings(maildrop: Maildrop): Iterable<string> {
  for (const { messageNumber, octets } of maildrop.messages()) yield `${messageNumber} ${octets}`
}
