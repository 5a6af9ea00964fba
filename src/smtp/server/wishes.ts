/** What MAIL asked for, as the plan and the queue understand it. */
import type { Limits } from '../../base/limits.ts'
import { withoutSuccess } from '../../delivery/make-plan.ts'
import type { PlannedRecipient } from '../../delivery/plan.ts'
import { countFields, firstValue } from '../../message/header.ts'
import type { MessageScan } from '../../message/scan.ts'
import type { DeliveryWishes } from '../../store/queue.ts'
import type { MailParameters } from '../wire/mail.ts'
import { refuse } from '../wire/reply.ts'
import type { Session } from './session.ts'

/** @throws {Refusal} For what is over, longer than we keep a message back, or than it may take: RFC 4865 §3, §4.2, §5.2.2. */
export function checkHold({ hold, deliverBy }: MailParameters, now: number, limits: Limits): void {
  if (hold === null) return
  const ms = hold.kind === 'for' ? hold.seconds * 1000 : hold.at - now
  if (ms <= 0) throw refuse(501, '5.5.4', 'Cannot accept MAIL: the time of HOLDUNTIL is over')
  if (deliverBy !== null && ms > deliverBy.seconds * 1000)
    throw refuse(501, '5.5.4', 'Cannot accept MAIL: it would be kept back until after it is to be delivered')
  if (ms <= limits.futureReleaseMs) return
  const days = Math.floor(limits.futureReleaseMs / 86_400_000)
  throw refuse(501, '5.5.4', `Cannot accept MAIL: a message is kept back for ${days} days at most`)
}

/** @param now When the message has come: what MAIL said in seconds begins there. */
export function wishesOf(session: Session, scan: MessageScan, now: number): DeliveryWishes {
  const said = session.transaction!.mail
  const { deliverBy } = said
  return {
    requireTls: said.requireTls,
    tlsOptional: !said.requireTls && saysTlsOptional(scan),
    // RFC 6710 §4.1: a stranger's is read and does not count.
    priority: session.account === null ? 0 : (said.priority ?? 0),
    holdUntil: holdUntil(said, now),
    holdFor: said.hold?.kind === 'for' ? said.hold.seconds : null,
    deliverBy:
      deliverBy === null
        ? null
        : { at: now + deliverBy.seconds * 1000, mode: deliverBy.mode, trace: deliverBy.trace },
    binary: false,
  }
}

/**
 * What of these wishes is heeded when nobody knows whether the owner of the reverse-path has them. Reports that all went
 * well are for those who asked, and a stranger can ask in anybody's name: docs/decisions/285.
 */
export function ofUnproven(wishes: DeliveryWishes): DeliveryWishes {
  const { deliverBy } = wishes
  if (deliverBy === null) return wishes
  // By-mode N and the trace modifier of RFC 2852 do nothing but ask for reports.
  return { ...wishes, deliverBy: deliverBy.mode === 'return' ? { ...deliverBy, trace: false } : null }
}

/** As `ofUnproven`, for NOTIFY. */
export function unconfirmed(recipients: readonly PlannedRecipient[]): readonly PlannedRecipient[] {
  if (recipients.every(({ notify }) => notify === null)) return recipients
  return recipients.map((recipient) => ({ ...recipient, notify: withoutSuccess(recipient.notify) }))
}

function holdUntil({ hold }: MailParameters, now: number): number | null {
  if (hold === null) return null
  const at = hold.kind === 'for' ? now + hold.seconds * 1000 : hold.at
  return at > now ? at : null
}

/** RFC 8689 §3: one field that says "No", and nothing else. */
function saysTlsOptional(scan: MessageScan): boolean {
  return countFields(scan, 'tls-required') === 1 && firstValue(scan, 'tls-required')!.toLowerCase() === 'no'
}
