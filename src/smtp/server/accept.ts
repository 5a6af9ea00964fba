/**
 * What is decided about a message that has come whole, in this order: our own checks of form, who may write as whom, the
 * filters, the plan. The last step is the store's: when it is done the message is on disk, filed, or in the queue, or
 * both, in one transaction. Whatever goes wrong before keeps nothing.
 */
import { andThen } from '../../base/at-once.ts'
import { forwardedPath } from '../../delivery/forwarding.ts'
import { planDelivery } from '../../delivery/make-plan.ts'
import { resolveRecipient } from '../../delivery/resolve-recipient.ts'
import type { DeliveryPlan, ForwardedPath, PlannedRecipient, PlanRequest } from '../../delivery/plan.ts'
import { firstValue } from '../../message/header.ts'
import type { MessageScan } from '../../message/scan.ts'
import type { Account } from '../../store/accounts.ts'
import { normaliseDomain } from '../../store/address.ts'
import type { Accepted } from '../../store/store.ts'
import { fixUp } from '../../submission/fix-ups.ts'
import { findBorrowedName, findUnclearAuthor, namedAuthors } from '../../submission/may-send-as.ts'
import { refuse, type Reply } from '../wire/reply.ts'
import { checkMessage } from '../../delivery/check-message.ts'
import { Intake } from './intake.ts'
import { recordAccepted, recordDiscarded, recordJunk } from './journey.ts'
import type { NamedEnding } from './filters.ts'
import { keepRefused } from './keep-refused.ts'
import { receivedField } from './received.ts'
import type { Session } from './session.ts'
import { refuseSolicitingHeader } from './solicitation.ts'
import { ofUnproven, unconfirmed, wishesOf } from './wishes.ts'
import { changesRecipients, combine, recipientsAfter, type Verdict } from './verdict.ts'

export interface Arrived {
  readonly journeyId: string
  /** As received, dots removed. */
  readonly octets: number
  readonly intake: Intake
}

export interface Outcome {
  readonly scan: MessageScan
  /** As the message goes on, with its angle brackets; null when it has none. */
  readonly messageId: string | null
  /** Encoded words not decoded; null when it has none. */
  readonly subject: string | null
  /** Null: a filter had it thrown away, or no recipient is left. */
  readonly accepted: Accepted | null
  /** Of recipients that were good at RCPT and are not any more: LMTP only. */
  readonly late: ReadonlyMap<string, Reply>
}

/** @throws {Refusal} @throws {StoreUnavailable} Nothing has been kept; `arrived.intake` is to be aborted. */
export function acceptMessage(session: Session, arrived: Arrived): Promise<Outcome> | Outcome {
  return andThen(checked(session, arrived.intake), (scan) => {
    const endings = session.filters.end({
      journeyId: arrived.journeyId,
      reversePath: session.transaction!.reversePath,
      recipients: session.recipients.map(({ forwardPath }) => forwardPath),
      octets: arrived.octets,
      headerFields: scan.headerFields,
    })
    return andThen(endings, (said) => conclude(session, arrived, scan, said))
  })
}

function conclude(
  session: Session,
  arrived: Arrived,
  scan: MessageScan,
  endings: readonly NamedEnding[],
): Promise<Outcome> {
  const { recipients, options } = session
  return endings.length === 0 && recipients.length > 0 && options.role !== 'lmtp'
    ? keep(session, arrived, { scan, verdict: combine(endings), recipients, late: nobody })
    : weigh(session, arrived, scan, endings)
}

/** The same where somebody has something to say: a filter, or one who is asked again. */
async function weigh(
  session: Session,
  arrived: Arrived,
  scan: MessageScan,
  endings: readonly NamedEnding[],
): Promise<Outcome> {
  if (endings.length > 0) await keepRefused(session, arrived, scan, endings)
  const verdict = combine(endings)
  if (verdict.discardedBy !== null) return discarded(session, arrived, scan, verdict.discardedBy)
  const late = session.options.role === 'lmtp' ? await askAgain(session) : nobody
  const wanted = changesRecipients(verdict) ? await recipientsAfter(session, verdict) : session.recipients
  const recipients = wanted.filter(({ forwardPath }) => !late.has(forwardPath))
  if (late.size > 0 && recipients.length === 0) {
    arrived.intake.abort()
    return { ...namesOf(scan), accepted: null, late }
  }
  if (recipients.length === 0) return discarded(session, arrived, scan, 'all recipients were removed')
  if (verdict.junk !== null) recordJunk(session, verdict.junk)
  if (verdict.message === null) return keep(session, arrived, { scan, verdict, recipients, late })

  arrived.intake.abort()
  const intake = new Intake(session.options)
  try {
    await intake.push(verdict.message)
    const anew = await checked(session, intake)
    return await keep(session, { ...arrived, intake }, { scan: anew, verdict, recipients, late })
  } catch (error) {
    intake.abort()
    throw error
  }
}

const nobody: Outcome['late'] = new Map()

function namesOf(scan: MessageScan): Pick<Outcome, 'scan' | 'messageId' | 'subject'> {
  return { scan, messageId: firstValue(scan, 'message-id'), subject: firstValue(scan, 'subject') }
}

/** @throws {Refusal} */
function checked(session: Session, intake: Intake): MessageScan | Promise<MessageScan> {
  return andThen(intake.scan(), (scan) => {
    checkMessage(scan, intake.longestLine, session.options.limits)
    refuseSolicitingHeader(session.options, scan)
    return session.account === null ? scan : checkAuthors(session, session.account, scan)
  })
}

/** RFC 6409 §6.1 for the header: a login writes in nobody else's name here. @throws {Refusal} */
async function checkAuthors({ options }: Session, account: Account, scan: MessageScan): Promise<MessageScan> {
  const unclear = findUnclearAuthor(scan.headerFields)
  if (unclear !== null)
    throw refuse(550, '5.6.0', `Message has a ${unclear} field in which readers see different people`)
  const borrowed = await findBorrowedName(options.store, account, namedAuthors(scan.headerFields))
  if (borrowed === null) return scan
  throw refuse(550, '5.7.1', `You are logged in as ${account.address} and may not write as ${borrowed}`)
}

/** 250 is said, and nothing is kept. */
function discarded(session: Session, { intake }: Arrived, scan: MessageScan, by: string): Outcome {
  intake.abort()
  recordDiscarded(session, by)
  return { ...namesOf(scan), accepted: null, late: nobody }
}

/**
 * RFC 2033 §4.2: with LMTP each recipient has its own answer at the end, and a mailbox that has become full or is gone
 * meanwhile holds up nobody else.
 */
async function askAgain({ options, recipients, transaction }: Session): Promise<Map<string, Reply>> {
  const late = new Map<string, Reply>()
  const isReport = transaction!.reversePath === ''
  for (const { forwardPath } of recipients) {
    const { store, limits, forwarding } = options
    const decision = await resolveRecipient(store, forwardPath, limits, isReport ? forwarding : null)
    if (decision.kind !== 'refused') continue
    late.set(forwardPath, { code: decision.code, status: decision.status, lines: [decision.text] })
  }
  return late
}

interface Judged {
  readonly scan: MessageScan
  readonly verdict: Verdict
  readonly recipients: readonly PlannedRecipient[]
  readonly late: Outcome['late']
}

async function keep(session: Session, arrived: Arrived, judged: Judged): Promise<Outcome> {
  const { scan } = judged
  const { clock, hostname, random, role, store } = session.options
  const now = clock.now()
  // RFC 6409 §8: a submission server may complete a message; a relay takes it as it is.
  const names = namesOf(scan)
  const { fields, messageId } =
    role === 'submission'
      ? fixUp(scan, { now, hostname, random })
      : { fields: [], messageId: names.messageId }
  const signatures = role === 'submission' ? await arrived.intake.sign(authorDomain(scan), fields) : []
  const above = [...judged.verdict.fields, ...signatures, ...fields]
  const planned = planOf(session, arrived, judged, { now, fields: above })
  const { filings, queue } = planned instanceof Promise ? await planned : planned
  const staged = arrived.intake.stage()
  const body = staged instanceof Promise ? await staged : staged
  const [result] = await store.accept([{ body, scan, filings, queue }])
  if (result === undefined || result instanceof Error) throw result ?? new Error('The store did not answer')
  recordAccepted(session, scan, { filings, queue }, result, signatures)
  if (result.filed.length > 0) {
    const recipients = judged.recipients.map(({ forwardPath }) => forwardPath)
    session.options.filed?.({ recipients, filed: result.filed, octets: scan.octets })
  }
  return { ...names, messageId, accepted: result, late: judged.late }
}

/** A-labels; '' when nobody says to have written it. */
function authorDomain({ envelope }: MessageScan): string {
  const host = envelope.from.find((author) => author.host !== null)?.host ?? ''
  return normaliseDomain(host) ?? ''
}

function planOf(
  session: Session,
  { journeyId }: Arrived,
  { scan, verdict, recipients: judged }: Judged,
  { now, fields }: { readonly now: number; readonly fields: readonly string[] },
): DeliveryPlan | Promise<DeliveryPlan> {
  const said = session.transaction!.mail
  const { store, forwarding, limits } = session.options
  const reversePath = verdict.reversePath ?? session.transaction!.reversePath
  const proven = isProven(session, verdict)
  const recipients = proven ? judged : unconfirmed(judged)
  const wishes = wishesOf(session, scan, now)
  const request = (forwarded: ForwardedPath | undefined): PlanRequest => ({
    reversePath,
    forwardedPath: forwarded,
    senderAccountId: session.account?.accountId ?? 0,
    recipients,
    received: (forPath) => receivedField(session, journeyId, forPath, now),
    fields,
    hasHeader: scan.hasHeader,
    eightBit: scan.eightBit,
    smtpUtf8: needsUtf8(session, scan),
    envid: said.envid,
    ret: said.ret,
    wishes: proven ? wishes : ofUnproven(wishes),
    junk: verdict.junk !== null,
    now,
    queueLifeMs: limits.queueLifeMs,
    journeyId,
  })
  return andThen(forwardedPath(forwarding, store, reversePath, recipients), (forwarded) =>
    planDelivery(request(forwarded)),
  )
}

/** Whether the owner of the reverse-path is known to have sent it: a log-in, a server of our own, or SPF. */
function isProven({ account, options, peer }: Session, { senderProven }: Verdict): boolean {
  return (
    account !== null ||
    options.role === 'lmtp' ||
    senderProven ||
    options.trusted.includes(peer.remoteAddress)
  )
}

/** Whether the next server must know SMTPUTF8: one that gets nothing but ASCII need not, whatever MAIL said. */
function needsUtf8({ transaction, recipients }: Session, scan: MessageScan): boolean {
  if (transaction === null || !transaction.mail.smtpUtf8) return false
  const paths = [transaction.reversePath, ...recipients.map(({ forwardPath }) => forwardPath)]
  const values = scan.headerFields.map(({ value }) => value)
  return [...paths, ...values].some((text) => /[^\x00-\x7f]/.test(text))
}
