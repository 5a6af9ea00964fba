import { maySendAs } from '../../../submission/may-send-as.ts'
import { parseMail } from '../../wire/mail.ts'
import { refuse } from '../../wire/reply.ts'
import type { Command } from '../session.ts'
import { Transaction } from '../transaction.ts'

/** Opens a mail transaction, RFC 5321 §3.3. */
export const mail: Command = {
  verb: 'MAIL',
  phases: ['ready'],

  async run(session, args) {
    const { role, store, replyTexts } = session.options
    // RFC 6409 §4.3: nothing is submitted by strangers.
    if (role === 'submission' && session.account === null)
      throw refuse(530, '5.7.0', 'Authentication required')
    const command = parseMail(args, session.extended)
    const transaction = new Transaction(command)
    const { reversePath, size } = command
    // RFC 1870 §6.1: say it now, before the client spends a DATA on it.
    if (size !== null && size > session.messageOctets) {
      throw refuse(552, '5.3.4', 'Message size exceeds fixed maximum message size')
    }
    // RFC 6409 §6.1: a login sends only as itself.
    if (
      session.account !== null &&
      reversePath !== null &&
      !(await maySendAs(store, session.account, transaction.reversePath))
    ) {
      throw refuse(
        553,
        '5.7.1',
        `You are logged in as ${session.account.address} and may not send as another`,
      )
    }
    const waiting = session.filters.ask('mail', transaction.reversePath, command.parameters)
    if (waiting !== undefined) await waiting
    session.transaction = transaction
    session.phase = 'envelope'
    return { code: 250, status: '2.1.0', lines: [replyTexts?.sender(reversePath) ?? 'Originator ok'] }
  },
}
