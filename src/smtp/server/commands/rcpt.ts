import { isIPv6 } from 'node:net'
import { andThen } from '../../../base/at-once.ts'
import type { PlannedRecipient, RecipientDecision } from '../../../delivery/plan.ts'
import { resolveRecipient } from '../../../delivery/resolve-recipient.ts'
import { formatMailbox, type Mailbox } from '../../wire/path.ts'
import { parseRcpt, type RcptCommand } from '../../wire/rcpt.ts'
import { Refusal, refuse, type Reply } from '../../wire/reply.ts'
import type { Command, Session } from '../session.ts'

/** Names one recipient, RFC 5321 §3.3. */
export const rcpt: Command = {
  verb: 'RCPT',
  phases: ['envelope', 'recipients'],

  run(session, args) {
    const { limits, defaultDomain } = session.options
    const { mail, recipients } = session.transaction!
    const offer = { dsn: session.extended, utf8: mail.smtpUtf8 }
    const command = parseRcpt(args, offer)
    const { forwardPath } = command
    // RFC 5321 §4.5.3.1.10: temporary, so that the client sends the message to the rest in another transaction.
    if (recipients.length >= limits.recipients) throw refuse(452, '4.5.3', 'Too many recipients')
    // RFC 5321 §4.5.1: postmaster without a domain is always ours.
    return decide(
      session,
      forwardPath.domain === '' ? { ...forwardPath, domain: defaultDomain } : forwardPath,
      command,
    )
  },
}

/** @throws {Refusal} */
function decide(session: Session, path: Mailbox, command: RcptCommand): Promise<Reply> | Reply {
  const { store, limits, forwarding, defaultDomain } = session.options
  const address = formatMailbox(path)
  const bounces = session.transaction!.mail.reversePath === null ? forwarding : null
  return andThen(resolveRecipient(store, address, limits, bounces), (decision) => {
    if (decision.kind === 'refused') return refused(session, address, command, decision)
    if (decision.kind === 'elsewhere' && isPostmasterOfHost(session, path))
      return decide(session, { ...path, domain: defaultDomain }, command)
    return taken(session, address, command, decision)
  })
}

/** At the name of this host, which need be no mail domain, or at its address: docs/decisions/277. */
function isPostmasterOfHost({ options, peer }: Session, { localPart, domain }: Mailbox): boolean {
  if (domain === options.defaultDomain || localPart.toLowerCase() !== 'postmaster') return false
  const tag = isIPv6(peer.localAddress) ? 'ipv6:' : ''
  return domain === options.hostname.toLowerCase() || domain === `[${tag}${peer.localAddress}]`
}

type Refused = Extract<RecipientDecision, { kind: 'refused' }>

/** @throws {Refusal} */
async function refused(
  session: Session,
  address: string,
  { parameters }: RcptCommand,
  { code, status, text }: Refused,
): Promise<Reply> {
  if (code === 550) await hearOfUnknown(session, address, parameters)
  throw refuse(code, status, text)
}

/** @throws {Refusal} */
function taken(
  session: Session,
  address: string,
  { forwardPath, parameters, orcpt, notify }: RcptCommand,
  decision: PlannedRecipient['decision'],
): Reply | Promise<Reply> {
  if (decision.kind === 'elsewhere') refuseUnqualified(session, forwardPath.domain)
  // Nothing relays for strangers.
  const relayed = decision.kind === 'elsewhere' ? relayFor(session, forwardPath.domain) : null
  return andThen(relayed, (lifeMs) =>
    andThen(session.filters.ask('rcpt', address, parameters, true), () => {
      const recipient = { forwardPath: address, decision, orcpt, notify }
      session.transaction!.recipients.push(lifeMs === null ? recipient : { ...recipient, lifeMs })
      session.phase = 'recipients'
      const text = session.options.replyTexts?.recipient(forwardPath) ?? 'Recipient ok'
      return { code: 250, status: '2.1.5', lines: [text] }
    }),
  )
}

/** RFC 6409 §4.2: what is handed in names whole domains; no part of one is added here. @throws {Refusal} */
function refuseUnqualified({ options }: Session, domain: string): void {
  if (options.role !== 'submission' || domain.includes('.') || domain.startsWith('[')) return
  throw refuse(554, '5.1.2', 'The domain of the recipient is not a whole one, such as example.com')
}

/**
 * Whether mail for a domain that is not ours is passed on: for who has logged in, for those we are a backup of, and to where it
 * is thrown away.
 *
 * @returns How long the queue tries; null: as long as all other mail. @throws {Refusal}
 */
function relayFor(session: Session, domain: string): null | Promise<number> {
  const { role, mayRelay } = session.options
  if (role === 'submission' || mayRelay?.(domain, session.peer.remoteAddress) === true) return null
  return relayAsBackup(session, domain)
}

/** @throws {Refusal} */
async function relayAsBackup({ options }: Session, domain: string): Promise<number> {
  const { role, store, limits } = options
  const backup = role === 'mx' ? await store.backupDomains.find(domain) : null
  if (backup === null) throw refuse(550, '5.7.1', 'Relaying denied')
  return limits.backupLifeMs
}

/** Filters learn who is asked for in vain: they may slow that down, or with 421 end it; nothing else is passed on. */
async function hearOfUnknown(
  session: Session,
  address: string,
  parameters: readonly string[],
): Promise<void> {
  try {
    await session.filters.ask('rcpt', address, parameters, false)
  } catch (error) {
    if (!(error instanceof Refusal) || error.reply.code === 421) throw error
  }
}
