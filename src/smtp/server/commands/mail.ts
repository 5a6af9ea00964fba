import { andThen } from '../../../base/at-once.ts'
import type { Account } from '../../../store/accounts.ts'
import { maySendAs } from '../../../submission/may-send-as.ts'
import { parseMail } from '../../wire/mail.ts'
import { refuse } from '../../wire/reply.ts'
import type { Command, Session } from '../session.ts'
import { refuseSolicitation } from '../solicitation.ts'
import { Transaction } from '../transaction.ts'
import { checkHold } from '../wishes.ts'

/** Opens a mail transaction, RFC 5321 §3.3. */
export const mail: Command = {
  verb: 'MAIL',
  phases: ['ready'],

  run(session, args) {
    const { role, replyTexts, limits, clock } = session.options
    // RFC 6409 §4.3: nothing is submitted by strangers.
    if (role === 'submission' && session.account === null)
      throw refuse(530, '5.7.0', 'Authentication required')
    // RFC 9422: as announced.
    if (session.mails >= limits.mailsPerConnection)
      throw refuse(421, '4.7.0', 'Too many messages on this connection, open another one')
    const command = parseMail(args, session.offer)
    const transaction = new Transaction(command)
    const { reversePath, size } = command
    // RFC 1870 §6.1: say it now, before the client spends a DATA on it.
    if (size !== null && size > session.messageOctets) {
      throw refuse(552, '5.3.4', 'Message size exceeds fixed maximum message size')
    }
    checkHold(command, clock.now(), limits)
    refuseSolicitation(session.options, command.solicitation)
    const permitted =
      session.account === null ? undefined : checkSender(session, session.account, transaction)
    const asked = andThen(permitted, () =>
      session.filters.ask('mail', transaction.reversePath, command.parameters),
    )
    return andThen(asked, () => {
      session.transaction = transaction
      session.mails++
      session.phase = 'envelope'
      return { code: 250, status: '2.1.0', lines: [replyTexts?.sender(reversePath) ?? 'Originator ok'] }
    })
  },
}

/** RFC 6409 §6.1: a login sends only as itself. @throws {Refusal} */
async function checkSender(
  { options }: Session,
  account: Account,
  { mail: { reversePath }, reversePath: written }: Transaction,
): Promise<void> {
  if (reversePath === null || (await maySendAs(options.store, account, written))) return
  throw refuse(550, '5.7.1', `You are logged in as ${account.address} and may not send as another`)
}
