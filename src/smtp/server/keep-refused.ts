/** A copy of a message that filters refuse, for whom it was meant. */
import type { MessageScan } from '../../message/scan.ts'
import { formatReply, type Reply } from '../wire/reply.ts'
import type { Arrived } from './accept.ts'
import type { NamedEnding } from './filters.ts'
import { receivedField } from './received.ts'
import type { Session } from './session.ts'

/**
 * Files it when it was refused for good and for what it is: not for its size or form, not for what may be different later.
 * Whatever goes wrong, the refusal stands: a copy is a help and no promise.
 */
export async function keepRefused(
  session: Session,
  arrived: Arrived,
  scan: MessageScan,
  endings: readonly NamedEnding[],
): Promise<void> {
  const { rejects, role, log, clock } = session.options
  const { account, recipients, transaction } = session
  const by = endings.find(({ refusal }) => refusal !== undefined)
  if (rejects == null || by?.refusal === undefined || role !== 'mx' || account !== null) return
  const { reply } = by.refusal
  if (!isPolicy(reply) || !rejects.wants(by.filter, arrived.octets)) return
  const accountIds = recipients.flatMap(({ decision }) =>
    decision.kind === 'home' ? decision.accountIds : [],
  )
  if (accountIds.length === 0) return
  try {
    const filed = await rejects.file({
      ...{ scan, accountIds, journeyId: arrived.journeyId, reversePath: transaction!.reversePath },
      body: () => arrived.intake.stage(),
      reason: formatReply(reply, true).trim().replaceAll('\r\n', ' '),
      fields: [
        receivedField(session, arrived.journeyId, null, clock.now()),
        ...endings.flatMap(({ fields }) => fields ?? []),
      ],
    })
    transaction!.refusedCopies = filed
    for (const { uid, accountId, emailId } of filed) {
      const data = { mailbox: rejects.mailbox, uid, accountId, emailId }
      session.recorder.event('filed', 'file', data, { visibleTo: ['recipient', 'admin'] })
    }
  } catch (error) {
    log.warn('no copy of refused mail can be kept', { error })
  }
}

/** RFC 3463 §3.8: class 7 is about security and policy. Other people's programs often give no such code. */
function isPolicy({ code, status }: Reply): boolean {
  return code >= 500 && (status === null || status.startsWith('5.7.'))
}
