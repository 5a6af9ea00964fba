import type { FilterAnswer, SmtpFilter } from '../filter/filter.ts'
import { refuse } from '../wire/reply.ts'
import { isStranger } from './guard-world.ts'

/**
 * A report goes to the one who sent the message it is about (RFC 5321 §4.5.5), so a null reverse-path with a second
 * recipient is somebody else's mail. Temporary, RFC 5321 §4.5.3.1.10: an honest client sends the rest separately.
 */
export function nullSender(): SmtpFilter {
  return {
    name: 'null sender',
    open(client) {
      if (!isStranger(client)) return null
      let reversePath: string | null = null
      let recipients = 0
      return {
        mail(path): FilterAnswer {
          reversePath = path
          recipients = 0
          return null
        },
        rcpt(_path, _parameters, known): FilterAnswer {
          if (!known || reversePath !== '') return null
          return recipients++ === 0
            ? null
            : refuse(452, '4.5.3', 'One recipient at a time for a message without a sender')
        },
      }
    },
  }
}
