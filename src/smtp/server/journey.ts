/** What an SMTP session tells of a message's way. */
import type { DeliveryPlan } from '../../delivery/plan.ts'
import type { JourneyFacts, Link, Viewer } from '../../journey/event.ts'
import { decodeEncodedWords } from '../../message/encoded-word.ts'
import { signatureFacts } from '../../message/signature-facts.ts'
import type { MessageScan } from '../../message/scan.ts'
import type { Accepted } from '../../store/store.ts'
import { timeOrderedId } from '../../base/random.ts'
import type { IncomingMessage } from './incoming.ts'
import { refusalFacts } from './refusals.ts'
import type { Session } from './session.ts'

const toRecipient: readonly Viewer[] = ['recipient', 'admin']
const toSender: readonly Viewer[] = ['sender', 'admin']

/** The line as it may be remembered: what AUTH carries is never kept. */
export function recordedLine(session: Session, line: string): string {
  if (session.phase === 'auth') return '***'
  return /^\s*AUTH\s/i.test(line)
    ? line.replace(/^(\s*AUTH\s+\S*)(?:\s.*)?$/i, (all, head: string) =>
        all === head ? head : `${head} ***`,
      )
    : line
}

/** The events of an accept; the dialogue itself follows once its reply has been sent. */
export function recordAccepted(
  session: Session,
  scan: MessageScan,
  plan: DeliveryPlan,
  accepted: Accepted,
  signatures: readonly string[],
): void {
  const { recorder } = session
  if (!recorder.enabled) return
  const size = { octets: scan.octets, lines: scan.lines }
  if (session.options.role === 'submission') {
    const data = { login: session.account?.address ?? '', client: session.peer.remoteAddress, ...size }
    recorder.event('handed-in', 'submit', data, { visibleTo: toSender })
  }
  for (const field of signatures) {
    recorder.event('handed-in', 'sign.dkim', { ...signatureFacts(field) }, { visibleTo: toSender })
  }
  for (const [index, entry] of plan.queue.entries()) {
    const recipients = entry.recipients.map((recipient) => recipient.forwardPath)
    const rewritten =
      entry.reversePath === session.transaction?.reversePath ? {} : { reversePath: entry.reversePath }
    const data = { queueId: accepted.queueIds[index] ?? null, domain: entry.domain, recipients, ...rewritten }
    recorder.event('queued', 'queue.in', data, { visibleTo: toSender })
  }
  for (const [index, filed] of accepted.filed.entries()) {
    const mailbox = plan.filings[index]?.specialUse?.slice(1) ?? 'INBOX'
    const branch = branchOf(session, filed.accountId)
    const data = { mailbox, uid: filed.uid, accountId: filed.accountId, emailId: filed.emailId }
    recorder.event('filed', 'file', data, { visibleTo: toRecipient, ...(branch === null ? {} : { branch }) })
  }
  recorder.wire('C', `(message, ${scan.octets} octets)`)
  if (session.phase !== 'chunks') recorder.wire('C', '.')
}

/** A filter, or all of them together, had the message thrown away. */
export function recordDiscarded(session: Session, by: string): void {
  session.recorder.event('judged', 'refuse', { discardedBy: by }, { visibleTo: visibleTo(session) })
}

export function recordJunk(session: Session, reason: string): void {
  session.recorder.event('judged', 'spam', { reason }, { visibleTo: visibleTo(session) })
}

/** Who may see what was decided in this session. */
export function visibleTo(session: Session): readonly Viewer[] {
  return session.options.role === 'submission' ? toSender : toRecipient
}

function branchOf(session: Session, accountId: number): string | null {
  const recipient = session.recipients.find(
    ({ decision }) => decision.kind === 'home' && decision.accountIds.includes(accountId),
  )
  return recipient?.forwardPath ?? null
}

/**
 * Gives the journey what was recorded since the last call. Without a message (the connection ends) the lines belong to
 * the last one: its closure; a conversation in which nothing was accepted is a journey of its own that ends refused.
 */
export function handOverJourney(session: Session, incoming: IncomingMessage | null): void {
  const { recorder, options } = session
  if (!recorder.enabled) return
  const { journeys, clock, random, role } = options
  const stage = role === 'submission' ? 'handed-in' : 'spoken'
  const refused = session.refusals.length > 0
  if (incoming === null && session.lastJourneyId === null && session.transaction === null && !refused) return
  if (incoming?.outcome == null && refused && isCounted(session)) return
  const full = options.journeyLevel === 'full'
  const phase = incoming === null ? 'closure' : 'transfer'
  const { link } = session
  if (full) recorder.closeWire(stage, { ...link, phase }, { visibleTo: visibleTo(session) })
  const events = recorder.take()
  if (incoming === null && session.lastJourneyId !== null && !refused) {
    if (events.length > 0) journeys.append({ journeyId: session.lastJourneyId, events })
    return
  }
  const journeyId = incoming?.journeyId ?? timeOrderedId(clock.now(), random)
  journeys.append({ journeyId, facts: facts(session, incoming, link), events })
  session.lastJourneyId = journeyId
  session.refusals = []
  session.transactions++
}

/** One address has had enough journeys of refusals: what was refused is only counted, and the dialogue forgotten. */
function isCounted(session: Session): boolean {
  const { refusals, options, recorder } = session
  const { remoteAddress } = session.peer
  if (options.refusals === undefined || options.refusals.takes(remoteAddress)) return false
  for (const { stage, text } of refusals) options.refusals.count({ remoteAddress, stage, reason: text })
  session.refusals = []
  recorder.closeWire('spoken')
  recorder.take()
  return true
}

/** Of a stranger's text that a journey keeps for ninety days; a header field may have 256 KB. */
const factChars = 1_000

function shortSubject(subject: string): string {
  // An encoded word takes more room than what it stands for.
  return decodeEncodedWords(subject.slice(0, 4 * factChars)).slice(0, factChars)
}

function facts(session: Session, incoming: IncomingMessage | null, link: Link): JourneyFacts {
  const outcome = incoming?.outcome ?? null
  const accepted = outcome?.accepted ?? null
  const queued = accepted !== null && accepted.queueIds.length > 0
  const filed = accepted?.filed ?? session.transaction?.refusedCopies ?? []
  const direction = session.options.role !== 'submission' ? 'in' : queued ? 'out' : 'local'
  // What is always there comes first: what follows a spread is slow to add.
  return {
    direction,
    state: accepted === null ? 'refused' : queued ? 'queued' : 'delivered',
    reversePath: session.transaction?.reversePath ?? session.refusals.at(-1)?.reversePath ?? '',
    recipients: session.recipients.map((recipient) => recipient.forwardPath),
    links: [link],
    queueIds: accepted?.queueIds ?? [],
    accountIds: filed.length === 0 ? [] : [...new Set(filed.map((one) => one.accountId))],
    ...(outcome?.messageId ? { messageId: outcome.messageId.slice(0, factChars) } : {}),
    ...(outcome?.subject ? { subject: shortSubject(outcome.subject) } : {}),
    ...refusalFacts(session),
    ...(session.account === null ? {} : { senderAccountId: session.account.accountId }),
  }
}
