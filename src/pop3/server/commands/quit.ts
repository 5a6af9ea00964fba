import { expectNothing } from '../../wire/command-line.ts'
import { ok, refuse } from '../../wire/reply.ts'
import type { Maildrop, MaildropMessage } from '../maildrop.ts'
import type { Command, Session } from '../session.ts'

/** Asked for at once: `Store.getEmails` gives more than is wanted here, a megabyte for a letter of a thousand parts. */
const emailsAtOnce = 50

/** Ends the session. After log-in the UPDATE state comes first, RFC 1939 §6: +OK when the removal is on disk. */
export const quit: Command = {
  keyword: 'QUIT',
  phases: ['authorization', 'transaction'],

  async run(session, args) {
    expectNothing(args)
    if (session.phase === 'transaction') {
      session.phase = 'update'
      try {
        await update(session, session.maildrop!)
      } catch (error) {
        session.options.log.error('pop3 update failed', { accountId: session.maildrop?.accountId, error })
        return { reply: refuse('some deleted messages not removed', 'SYS/TEMP').reply, next: 'close' }
      }
    }
    return { reply: ok('POP3 server signing off'), next: 'close' }
  },
}

async function update(session: Session, maildrop: Maildrop): Promise<void> {
  const messages = [...maildrop.deletedMessages()]
  if (messages.length === 0) return
  const uids = messages.map((message) => message.uid).sort((a, b) => a - b)
  const journeys = await journeysOf(session, maildrop, messages)
  const removed = new Set(await session.options.store.expunge(maildrop.accountId, maildrop.mailboxId, uids))
  // One that another agent had removed already is gone as well, but not by us.
  for (const [index, message] of messages.entries()) {
    if (removed.has(message.uid)) session.collection.removed(message, journeys[index] ?? null)
  }
}

/** Asked before they are removed; not to know them is no reason to keep the messages. */
async function journeysOf(
  session: Session,
  maildrop: Maildrop,
  messages: readonly MaildropMessage[],
): Promise<(string | null)[]> {
  const { collection, options } = session
  const journeys = messages.map((message) => collection.journeyOf(message))
  const unknown = collection.enabled
    ? journeys.flatMap((journey, at) => (journey === undefined ? [at] : []))
    : []
  for (let start = 0; start < unknown.length; ) {
    const places = unknown.slice(start, start + emailsAtOnce)
    const emailIds = places.map((at) => messages[at]!.emailId)
    try {
      const emails = await options.store.getEmails(maildrop.accountId, emailIds)
      for (const [index, email] of emails.entries()) journeys[places[index]!] = email?.journeyId ?? null
      start += emails.length
    } catch (error) {
      options.log.warn('journeys of removed messages are not known', { error })
      break
    }
  }
  return journeys.map((journey) => journey ?? null)
}
