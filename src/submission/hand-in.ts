/**
 * Mail that comes from this machine itself and not through a door: what the sendmail command is given, and what the program
 * writes of its own accord, such as reports about other domains.
 *
 * When `finish` has resolved the message is on disk: filed, or in the queue, or both, in one transaction. Whatever goes
 * wrong before keeps nothing. Date and Message-ID are added where they are missing, blind copies are taken out, and the keys
 * of the author's domain sign it, as for who hands in by SMTP.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import { type Random, timeOrderedId } from '../base/random.ts'
import { checkMessage } from '../delivery/check-message.ts'
import { planDelivery } from '../delivery/make-plan.ts'
import { type Forwarding, forwardedPath } from '../delivery/forwarding.ts'
import type { DeliveryPlan, PlannedRecipient } from '../delivery/plan.ts'
import { resolveRecipient } from '../delivery/resolve-recipient.ts'
import type { JourneySink } from '../journey/event.ts'
import { Recorder } from '../journey/recorder.ts'
import { decodeEncodedWords } from '../message/encoded-word.ts'
import { FieldFilter, type FieldNames, fieldNames } from '../message/field-filter.ts'
import { formatReceived } from '../message/fields.ts'
import { type MessageScan, MessageScanner } from '../message/scan.ts'
import { signatureFacts } from '../message/signature-facts.ts'
import { LineMeasure } from '../smtp/wire/line-measure.ts'
import { normaliseDomain } from '../store/address.ts'
import type { BodySink } from '../store/body.ts'
import { type DeliveryWishes, noWishes } from '../store/queue.ts'
import type { Accepted, Store } from '../store/store.ts'
import { fixUp } from './fix-ups.ts'
import type { MessageSigner, SignerSource } from './signer.ts'

export interface HandInWorld {
  readonly store: Store
  readonly journeys: JourneySink
  /** Null: what is handed in goes out unsigned. */
  readonly signer: SignerSource | null
  readonly clock: Clock
  readonly random: Random
  /** In Received and Message-ID. */
  readonly hostname: string
  readonly limits: Limits
  /** How letters go on that aliases lead elsewhere; null: under their own reverse-path. */
  readonly forwarding: Forwarding | null
}

export interface HandInEnvelope {
  /** `local-part@domain`, domain in A-labels; '' is the null reverse-path. */
  readonly reversePath: string
  /** As `reversePath`; at least one. */
  readonly recipients: readonly string[]
  /** For the journey: which program, `sendmail`. */
  readonly client: string
  /** Fields that the message lacks, each with its CRLF; they are signed with it. */
  readonly fields?: readonly string[]
  /** A-labels; absent: of the From field. */
  readonly authorDomain?: string
  readonly wishes?: Partial<DeliveryWishes>
  /** RFC 3461, as in RCPT and MAIL. */
  readonly notify?: string | null
  readonly ret?: 'FULL' | 'HDRS' | null
  readonly envid?: string | null
  /** How long the queue tries, if that is less than for other mail. */
  readonly lifeMs?: number
}

export interface HandedIn {
  readonly journeyId: string
  /** With its angle brackets. */
  readonly messageId: string
  /** Those it goes to. */
  readonly recipients: readonly string[]
  /** Those who do not exist here. */
  readonly refused: readonly { readonly recipient: string; readonly text: string }[]
  /** Null: nobody is left to whom it could go, and nothing was kept. */
  readonly accepted: Accepted | null
}

/** One message while it is handed in. */
const bcc = fieldNames('bcc')
const resentBcc = fieldNames('resent-bcc')

export class HandIn {
  readonly #world: HandInWorld
  readonly #blind: { readonly bcc: string[]; readonly resentBcc: string[] } = { bcc: [], resentBcc: [] }
  readonly #filters: readonly FieldFilter[]
  readonly #measure = new LineMeasure()
  readonly #scanner: MessageScanner
  readonly #signer: MessageSigner | null
  #sink: BodySink | null
  #scan: MessageScan | null = null

  constructor(world: HandInWorld) {
    const { limits, store, signer } = world
    this.#world = world
    const collect = (fields: FieldNames, into: string[]): FieldFilter =>
      new FieldFilter(limits.headerOctets, fields, (value) => {
        into.push(value)
        return true
      })
    // RFC 5322 §3.6.3, first of its three ways; two filters, because the one field counts where the other does not.
    this.#filters = [collect(bcc, this.#blind.bcc), collect(resentBcc, this.#blind.resentBcc)]
    this.#scanner = new MessageScanner({
      headerOctets: limits.headerOctets,
      headerFields: limits.headerFields,
      parts: limits.mimeParts,
      nesting: limits.mimeNesting,
    })
    this.#signer = signer?.open() ?? null
    this.#sink = store.openBody()
  }

  /** Message octets so far. */
  get octets(): number {
    return this.#measure.octets
  }

  /** Values of the Bcc and Resent-Bcc fields that were taken out, folded, one char per octet; whole after `scan`. */
  get blindCopies(): { readonly bcc: readonly string[]; readonly resentBcc: readonly string[] } {
    return this.#blind
  }

  /** Waits while the disk cannot keep up. The octets must not change afterwards. @throws {StoreUnavailable} */
  async push(octets: Uint8Array): Promise<void> {
    this.#measure.push(octets)
    const [first, second] = this.#filters as [FieldFilter, FieldFilter]
    for (const piece of first.push(octets)) for (const part of second.push(piece)) await this.#keep(part)
  }

  /** After the last octet: what it is. @throws {Refusal} It cannot be taken as it is. @throws {StoreUnavailable} */
  async scan(): Promise<MessageScan> {
    if (this.#scan !== null) return this.#scan
    const [first, second] = this.#filters as [FieldFilter, FieldFilter]
    for (const piece of first.finish()) for (const part of second.push(piece)) await this.#keep(part)
    for (const part of second.finish()) await this.#keep(part)
    this.#scan = this.#scanner.finish()
    checkMessage(this.#scan, this.#measure.longestLine, this.#world.limits)
    return this.#scan
  }

  /** Hands it over. @throws {Refusal} @throws {StoreUnavailable} Nothing was kept; `abort` is to follow. */
  async finish(envelope: HandInEnvelope): Promise<HandedIn> {
    const { store, clock, random, hostname } = this.#world
    const scan = await this.scan()
    const now = clock.now()
    const journeyId = timeOrderedId(now, random)
    const { planned, refused } = await this.#resolve(envelope)
    const missing = fixUp(scan, { now, hostname, random })
    const { messageId } = missing
    if (planned.length === 0) {
      this.abort()
      return { journeyId, messageId, recipients: [], refused, accepted: null }
    }
    const fields = [...missing.fields, ...(envelope.fields ?? [])]
    const author = envelope.authorDomain ?? authorDomain(scan)
    const signatures = (await this.#signer?.finish(author, fields)) ?? []
    const plan = await this.#plan(envelope, planned, {
      ...{ scan, now, journeyId },
      fields: [...signatures, ...fields],
    })
    if (this.#sink === null) throw new Error('Message was given up')
    const body = await this.#sink.finish()
    const [accepted] = await store.accept([{ body, scan, ...plan }])
    if (accepted === undefined || accepted instanceof Error)
      throw accepted ?? new Error('The store did not answer')
    this.#sink = null
    const recipients = planned.map(({ forwardPath }) => forwardPath)
    this.#record(envelope, plan, accepted, { scan, signatures, messageId, journeyId, recipients })
    return { journeyId, messageId, recipients, refused, accepted }
  }

  /** Forgets it; safe at any time. */
  abort(): void {
    this.#sink?.abort()
    this.#sink = null
  }

  async #keep(piece: Uint8Array): Promise<void> {
    if (this.#sink === null) return
    this.#scanner.push(piece)
    this.#signer?.push(piece)
    const wait = this.#sink.write(piece)
    if (wait !== undefined) await wait
  }

  /** A recipient who cannot take it now (a full mailbox) waits in the queue: nobody is there who would try again. */
  async #resolve({ reversePath, recipients, notify }: HandInEnvelope) {
    const { store, limits, forwarding } = this.#world
    const bounces = reversePath === '' ? forwarding : null
    const planned: PlannedRecipient[] = []
    const refused: { recipient: string; text: string }[] = []
    for (const recipient of new Set(recipients)) {
      const decision = await resolveRecipient(store, recipient, limits, bounces)
      if (decision.kind === 'refused' && decision.code >= 500) {
        refused.push({ recipient, text: decision.text })
        continue
      }
      planned.push({
        forwardPath: recipient,
        decision: decision.kind === 'refused' ? { kind: 'elsewhere' } : decision,
        orcpt: null,
        notify: notify ?? null,
      })
    }
    return { planned, refused }
  }

  async #plan(
    { reversePath, wishes, ret, envid, lifeMs }: HandInEnvelope,
    recipients: readonly PlannedRecipient[],
    message: {
      readonly scan: MessageScan
      readonly now: number
      readonly journeyId: string
      readonly fields: readonly string[]
    },
  ): Promise<DeliveryPlan> {
    const { hostname, limits, store, forwarding } = this.#world
    const { scan, now, journeyId, fields } = message
    const paths = [reversePath, ...recipients.map(({ forwardPath }) => forwardPath)]
    return planDelivery({
      ...{ reversePath, recipients, fields, now, journeyId },
      forwardedPath: await forwardedPath(forwarding, store, reversePath, recipients),
      senderAccountId: 0,
      received: (forPath) =>
        formatReceived({ from: null, by: hostname, with: null, id: journeyId, for: forPath, epochMs: now }),
      hasHeader: scan.hasHeader,
      eightBit: scan.eightBit,
      // Of raw UTF-8 in a header alone nothing is known: docs/decisions/141.
      smtpUtf8: paths.some((path) => /[^\x00-\x7f]/.test(path)),
      envid: envid ?? null,
      ret: ret ?? null,
      wishes: { ...noWishes, ...wishes },
      junk: false,
      queueLifeMs: Math.min(lifeMs ?? limits.queueLifeMs, limits.queueLifeMs),
    })
  }

  #record(
    { reversePath, client }: HandInEnvelope,
    plan: DeliveryPlan,
    accepted: Accepted,
    about: {
      readonly scan: MessageScan
      readonly signatures: readonly string[]
      readonly messageId: string
      readonly journeyId: string
      readonly recipients: readonly string[]
    },
  ): void {
    const { clock, journeys } = this.#world
    const { scan, signatures, messageId, journeyId, recipients } = about
    const toSender = { visibleTo: ['sender', 'admin'] } as const
    const recorder = new Recorder(clock)
    const size = { octets: scan.octets, lines: scan.lines }
    recorder.event('handed-in', 'submit', { login: '', client, ...size }, toSender)
    for (const field of signatures) {
      recorder.event('handed-in', 'sign.dkim', { ...signatureFacts(field) }, toSender)
    }
    for (const [index, entry] of plan.queue.entries()) {
      const data = {
        ...{ queueId: accepted.queueIds[index] ?? null, domain: entry.domain },
        ...(entry.reversePath === reversePath ? {} : { reversePath: entry.reversePath }),
        recipients: entry.recipients.map(({ forwardPath }) => forwardPath),
      }
      recorder.event('queued', 'queue.in', data, toSender)
    }
    for (const { uid, accountId, emailId } of accepted.filed) {
      const data = { mailbox: 'INBOX', uid, accountId, emailId }
      recorder.event('filed', 'file', data, { visibleTo: ['recipient', 'admin'] })
    }
    const queued = accepted.queueIds.length > 0
    const { subject } = scan.envelope
    journeys.append({
      journeyId,
      facts: {
        direction: queued ? 'out' : 'local',
        state: queued ? 'queued' : 'delivered',
        messageId,
        ...(subject === null ? {} : { subject: decodeEncodedWords(subject) }),
        ...{ reversePath, recipients },
        queueIds: accepted.queueIds,
        accountIds: [...new Set(accepted.filed.map(({ accountId }) => accountId))],
      },
      events: recorder.take(),
    })
  }
}

/** Octets that are scanned and hashed before others get their turn. */
const pieceOctets = 65_536

/** A whole message at once. @throws {Refusal} @throws {StoreUnavailable} Nothing was kept. */
export async function handIn(
  world: HandInWorld,
  octets: Uint8Array,
  envelope: HandInEnvelope,
): Promise<HandedIn> {
  const message = new HandIn(world)
  try {
    for (let at = 0; at < octets.length; at += pieceOctets) {
      await message.push(octets.subarray(at, at + pieceOctets))
      await nextTurn()
    }
    return await message.finish(envelope)
  } catch (error) {
    message.abort()
    throw error
  }
}

/** A-labels; '' when nobody says to have written it. */
function authorDomain({ envelope }: MessageScan): string {
  const host = envelope.from.find((author) => author.host !== null)?.host ?? ''
  return normaliseDomain(host) ?? ''
}
