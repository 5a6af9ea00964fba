/** From decisions about recipients to what the store is to write: filings for home, queue rows for elsewhere. */
import type { Filing } from '../store/store.ts'
import type { NewQueueEntry } from '../store/queue.ts'
import type { DeliveryPlan, PlannedRecipient, PlanRequest } from './plan.ts'
import { buildPrefix, formatReturnPath } from '../message/fields.ts'
import { normaliseDomain } from '../store/address.ts'

/** What every server must take in one transaction, RFC 5321 §4.5.3.1.8: more in a row would be sent in parts anyway. */
export const recipientsPerEntry = 100

/** What the store takes above a body. */
export const prefixOctets = 16_384

type QueuedRecipient = NewQueueEntry['recipients'][number]

/**
 * Plans one accepted message. An account reached by several recipients gets one copy, an address elsewhere too.
 *
 * Fields that do not fit into the prefix are left out, the longest first: a letter without its longest verdict is better
 * than no letter.
 */
export function planDelivery(request: PlanRequest): DeliveryPlan {
  if (!request.recipients.some((recipient) => mustPassQueue(request, recipient))) return planNow(request)
  const recipients = request.recipients.map((recipient) =>
    mustPassQueue(request, recipient) ? { ...recipient, decision: elsewhere } : recipient,
  )
  return planNow({ ...request, recipients })
}

const elsewhere = { kind: 'elsewhere' } as const

/**
 * Some go through the queue although they are at home: what is held back (RFC 4865), and those whose sender wants to hear of
 * success, since the report is a message of its own, docs/decisions/151. Junk confirms no address to anybody.
 */
function mustPassQueue(
  { wishes, now, reversePath, junk }: PlanRequest,
  recipient: PlannedRecipient,
): boolean {
  if (recipient.decision.kind !== 'home') return false
  if ((wishes.holdUntil ?? 0) > now) return true
  return reversePath !== '' && !junk && notifyKeywords(recipient.notify).includes('SUCCESS')
}

/** The same without the queue's help for those who are at home: it asks for this itself. */
export function planNow(request: PlanRequest): DeliveryPlan {
  // RFC 5321 §4.4: one path in a FOR clause; RFC 5321 §7.2: with several, whoever reads it would learn of the others.
  const only = request.recipients.length === 1 ? request.recipients[0]!.forwardPath : null
  const returnPath = formatReturnPath(request.reversePath)
  const trace = fitting(returnPath, request.received(only), request.fields)
  return {
    filings: planFilings(request, [returnPath, ...trace]),
    queue: planQueue(request, trace),
  }
}

/** The trace fields, without those that would make the prefix too long. */
function fitting(returnPath: string, received: string, fields: readonly string[]): string[] {
  const kept = [...fields]
  while (kept.length > 0 && Buffer.byteLength(returnPath + received + kept.join('')) > prefixOctets - 2) {
    const longest = kept.reduce((best, field, index) => (field.length > kept[best]!.length ? index : best), 0)
    kept.splice(longest, 1)
  }
  return [received, ...kept]
}

function planFilings(request: PlanRequest, fields: readonly string[]): Filing[] {
  const accountIds = accountsOf(request.recipients)
  if (accountIds.length === 0) return []
  const prefix = buildPrefix(fields, request.hasHeader)
  const filings = accountIds.map((accountId) => ({
    accountId,
    mailboxId: null,
    prefix,
    flags: 0,
    keywords: [],
    internalDate: request.now,
    journeyId: request.journeyId,
  }))
  return request.junk ? filings.map((filing) => ({ ...filing, specialUse: '\\Junk' })) : filings
}

/** Each once. */
function accountsOf(recipients: readonly PlannedRecipient[]): readonly number[] {
  const lists = recipients.map(({ decision }) => (decision.kind === 'home' ? decision.accountIds : []))
  return lists.length === 1 ? lists[0]! : [...new Set(lists.flat())]
}

/** Queue rows by domain; no Return-Path, which belongs to final delivery only, RFC 5321 §4.4. */
function planQueue(request: PlanRequest, fields: readonly string[]): NewQueueEntry[] {
  const groups = groupRecipients(request)
  if (groups.length === 0) return []
  // RFC 4865 §4.2: the time in which it may be tried begins when the hold ends.
  const begin = Math.max(request.now, request.wishes.holdUntil ?? 0)
  const common = {
    accountId: request.senderAccountId,
    prefix: buildPrefix(fields, request.hasHeader),
    eightBit: request.eightBit,
    smtpUtf8: request.smtpUtf8,
    envid: request.envid,
    ret: request.ret,
    wishes: request.wishes,
    nextAttemptAt: begin,
    journeyId: request.journeyId,
  }
  const entries: NewQueueEntry[] = []
  for (const { domain, reversePath, lifeMs, recipients } of groups) {
    const expiresAt = begin + lifeMs
    for (let from = 0; from < recipients.length; from += recipientsPerEntry) {
      const some = recipients.slice(from, from + recipientsPerEntry)
      entries.push({ ...common, domain, reversePath, expiresAt, recipients: some })
    }
  }
  return entries
}

function leavesHome({ decision }: PlannedRecipient): boolean {
  return decision.kind === 'elsewhere' || decision.forwards.length > 0
}

interface Group {
  readonly domain: string
  readonly reversePath: string
  readonly lifeMs: number
  readonly recipients: QueuedRecipient[]
}

/**
 * What goes to one domain under one reverse-path. An address that is reached twice gets one copy, and the first one to name
 * it says what it wants to be told.
 */
function groupRecipients(request: PlanRequest): Group[] {
  if (!request.recipients.some(leavesHome)) return []
  const groups = new Map<string, Group>()
  const seen = new Set<string>()
  for (const { forwardPath, decision, orcpt, notify, lifeMs = request.queueLifeMs } of request.recipients) {
    const targets = decision.kind === 'elsewhere' ? [forwardPath] : decision.forwards
    const several = decision.kind === 'home' && decision.forwards.length + decision.accountIds.length > 1
    const told = several ? withoutSuccess(notify) : notify
    for (const target of targets) {
      const at = target.lastIndexOf('@')
      const written = target.slice(at + 1)
      // An alias may name a domain in U-labels; DNS and SMTP want A-labels. A literal stays as it is.
      const domain = normaliseDomain(written) ?? written.toLowerCase()
      const path = `${target.slice(0, at)}@${domain}`
      if (seen.has(path)) continue
      seen.add(path)
      const forwarded = decision.kind === 'home' ? request.forwardedPath?.(forwardPath, path) : undefined
      const reversePath = forwarded ?? request.reversePath
      const key = `${domain} ${lifeMs} ${reversePath}`
      let group = groups.get(key)
      if (group === undefined) groups.set(key, (group = { domain, reversePath, lifeMs, recipients: [] }))
      group.recipients.push({ forwardPath: path, orcpt, notify: told })
    }
  }
  return [...groups.values()]
}

function notifyKeywords(notify: string | null): string[] {
  return notify === null ? [] : notify.toUpperCase().split(',')
}

/**
 * NOTIFY for those of whose success nobody is to be told, as RFC 3461 §5.2.7.3 (c) has it for the members of an alias:
 * nothing left means NEVER.
 */
export function withoutSuccess(notify: string | null): string | null {
  const keywords = notifyKeywords(notify)
  if (!keywords.includes('SUCCESS')) return notify
  return keywords.filter((keyword) => keyword !== 'SUCCESS').join(',') || 'NEVER'
}
