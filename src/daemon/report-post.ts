/** How reports leave: signed and queued as any letter of ours, with a journey; or uploaded. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Config } from '../base/config.ts'
import { timeOrderedId } from '../base/random.ts'
import { planDelivery } from '../delivery/make-plan.ts'
import { resolveRecipient } from '../delivery/resolve-recipient.ts'
import type { JourneySink } from '../journey/event.ts'
import { Recorder } from '../journey/recorder.ts'
import { signatureFacts } from '../message/signature-facts.ts'
import { acceptStaged, stageOctets } from '../queue/restage.ts'
import type { ReportLetter, ReportPost } from '../reports/sending/world.ts'
import { upload } from '../reports/tls/upload.ts'
import { noWishes } from '../store/queue.ts'
import type { Accepted, Filed, Store } from '../store/store.ts'
import type { SignerSource } from '../submission/signer.ts'
import type { World } from './world.ts'

export interface PostParts {
  readonly config: Config
  readonly world: World
  readonly store: Store
  readonly journeys: JourneySink
  readonly signer: SignerSource
  /** Told of what was filed here, for a report about a domain of ours. */
  filed(filed: readonly Filed[]): void
}

/** Hashed in one turn. */
const pieceOctets = 65_536
/** A report that could not be delivered for two days helps nobody any more. */
const reportLifeMs = 2 * 24 * 60 * 60_000

export function createReportPost(parts: PostParts): ReportPost {
  return {
    mail: (letter) => mail(parts, letter),
    upload: (url, content, mediaType) => upload(parts.world, url, content, mediaType),
  }
}

async function mail(parts: PostParts, letter: ReportLetter): Promise<void> {
  const { config, world, store, signer } = parts
  const now = world.clock.now()
  const decision = await resolveRecipient(store, letter.to, config.limits)
  if (decision.kind === 'refused') {
    world.log.warn('report cannot be filed here', { to: letter.to, why: decision.text })
    return
  }
  const message = signer.open()
  for (let at = 0; at < letter.octets.length; at += pieceOctets) {
    message.push(letter.octets.subarray(at, at + pieceOctets))
    await nextTurn()
  }
  const signatures = await message.finish(letter.from.slice(letter.from.lastIndexOf('@') + 1), [])
  const journeyId = timeOrderedId(now, world.random)
  const plan = planDelivery({
    // RFC 5321 §4.5.5: only what a standard says so has the null reverse-path; docs/decisions/211.
    reversePath: letter.from,
    senderAccountId: 0,
    // A report that bounces would only be one more letter that nobody reads.
    recipients: [{ forwardPath: letter.to, decision, orcpt: null, notify: 'NEVER' }],
    received: () => '',
    fields: signatures,
    hasHeader: true,
    eightBit: false,
    smtpUtf8: false,
    envid: null,
    ret: null,
    wishes: { ...noWishes, tlsOptional: letter.tlsOptional },
    junk: false,
    now,
    queueLifeMs: Math.min(reportLifeMs, config.limits.queueLifeMs),
    journeyId,
  })
  const staged = await stageOctets(store, letter.octets)
  const accepted = await acceptStaged(store, staged, plan.filings, plan.queue, [])
  record(parts, letter, { journeyId, signatures, accepted })
  if (accepted.filed.length > 0) parts.filed(accepted.filed)
}

function record(
  { world, journeys }: PostParts,
  letter: ReportLetter,
  done: { readonly journeyId: string; readonly signatures: readonly string[]; readonly accepted: Accepted },
): void {
  const { journeyId, signatures, accepted } = done
  const own = new Recorder(world.clock)
  for (const field of signatures) own.event('written', 'sign.dkim', { ...signatureFacts(field) })
  for (const queueId of accepted.queueIds) own.event('queued', 'queue.in', { queueId })
  for (const { mailboxId, uid } of accepted.filed) own.event('filed', 'file', { mailboxId, uid })
  journeys.append({
    journeyId,
    facts: {
      direction: accepted.queueIds.length > 0 ? 'out' : 'local',
      state: accepted.queueIds.length > 0 ? 'queued' : 'delivered',
      messageId: letter.messageId,
      subject: letter.subject,
      reversePath: letter.from,
      recipients: [letter.to],
      queueIds: accepted.queueIds,
    },
    events: own.take(),
  })
}
