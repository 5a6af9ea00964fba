import { ok } from '../../wire/refusal.ts'
import type { Handlers } from '../session.ts'
import { findTarget } from './copy.ts'

/** RFC 3501 §6.3.11, answered as in RFC 4315 §3. The message is with the store already, on its way to a mailbox. */
export const append: Handlers['APPEND'] = {
  state: 'authenticated',

  async run(session, command, { message }) {
    if (message === null) throw new Error('APPEND came without its message')
    const { accountId, options } = session
    const { mailboxId } = await findTarget(session, command.mailbox)
    const filing = {
      accountId,
      mailboxId,
      prefix: '',
      flags: command.flags,
      keywords: command.keywords,
      internalDate: command.internalDate ?? options.clock.now(),
      journeyId: null,
    }
    message.keep()
    const [accepted] = await options.store.accept([
      { body: message.body, scan: message.scan, filings: [filing], queue: [], withinQuota: true },
    ])
    if (accepted === undefined || accepted instanceof Error) {
      message.discard()
      throw accepted ?? new Error('The store gave no answer')
    }
    const [filed] = accepted.filed
    // Deleted in between: then it went to INBOX, and the client is told no UID there.
    if (filed?.mailboxId !== mailboxId) return ok('Appended')
    return ok('Appended', `APPENDUID ${filed.uidValidity} ${filed.uid}`)
  },
}
