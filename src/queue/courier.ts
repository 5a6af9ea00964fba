/**
 * One outgoing connection: from the first letter that needs it, over the letters that wait for the same destination, to
 * QUIT. RFC 5321 §5.1: hosts in their order, the next one when a host cannot be talked to; never the next one after a
 * host has said something about the letter itself.
 *
 * Each row that is taken is passed on exactly once: ended, or given back.
 */
import type { Target } from '../base/dialler.ts'
import type { Link } from '../journey/event.ts'
import type { SmtpClient } from '../smtp/client/client.ts'
import type { SendResult } from '../smtp/client/message.ts'
import type { QueueEntry } from '../store/queue.ts'
import type { Destination } from './destination.ts'
import type { OutcomeMap, RecipientOutcome } from './outcome.ts'
import type { HeardSession } from './tls-session.ts'
import type { Held, QueueWorld } from './world.ts'
import { Recorder } from '../journey/recorder.ts'
import { BodyUnreadable } from '../store/errors.ts'
import { findTargets, isOutcome, openTarget, worstOf } from './connection.ts'
import { forAll, localTrouble, outcomeOfSend, stillWaiting } from './outcome.ts'
import { asksOf, isGoodFor, isPromisedNothing, needsTls, recipientsFor } from './wishes.ts'
import { takeOutgoing } from './world.ts'

/** What a courier tells the one who sent it. */
export interface Desk {
  readonly stopping: boolean
  /** The attempt has ended; takes over the row. */
  ended(held: Held, recorder: Recorder, outcomes: OutcomeMap, link: Link | null): void
  /** Not attempted: the row goes back as it was. */
  giveBack(held: Held): void
  /** No host could be reached; what else waits there fails alike. */
  unreachable(destination: Destination, outcome: RecipientOutcome): void
  /** Something has changed in what the destination may have. */
  changed(destination: Destination): void
  opened(client: SmtpClient): void
  closed(client: SmtpClient): void
}

/** What one transaction came to. */
interface Sent {
  readonly outcomes: OutcomeMap
  readonly link: Link | null
}

/** A letter, and what records it. */
interface Spoken {
  readonly held: Held
  readonly recorder: Recorder
}

/** After this a message counts as slow, and another connection may be opened beside it. */
const slowMs = 5_000

export class Courier {
  readonly #world: QueueWorld
  readonly #destination: Destination
  readonly #desk: Desk
  /** The row at hand, until it has been passed on. */
  #current: Spoken | null = null
  /** The one whose journey the next lines belong to. */
  #last: Spoken | null = null
  #left = false

  constructor(world: QueueWorld, destination: Destination, desk: Desk) {
    this.#world = world
    this.#destination = destination
    this.#desk = desk
  }

  /** Takes a row from the destination in this turn, and more while the connection lasts. Never rejects. */
  async run(): Promise<void> {
    const first = this.#destination.waiting.shift()
    if (first === undefined) return
    this.#destination.active++
    try {
      await this.#carry(first)
    } catch (error) {
      this.#world.log.error('delivery attempt broke off', { destination: this.#destination.key, error })
      if (this.#current !== null) this.#desk.giveBack(this.#current.held)
    } finally {
      this.#leave()
    }
  }

  async #carry(first: Held): Promise<void> {
    const spoken = this.#begin(first, true)
    const found = await findTargets(this.#world, this.#destination, spoken.recorder)
    if (isOutcome(found)) {
      this.#fail(spoken, found)
      return
    }
    const failures: RecipientOutcome[] = []
    for (const target of found) {
      if (this.#desk.stopping) break
      const client = await openTarget(this.#world, target, spoken.recorder, {
        tlsOnly: needsTls(first.entry),
        heard: (session) => this.#heard(first.entry, session),
      })
      if (isOutcome(client)) {
        failures.push(client)
        continue
      }
      this.#desk.opened(client)
      this.#destination.opened()
      this.#desk.changed(this.#destination)
      const refusal = await this.#speak(client, target, spoken)
      await this.#close(client)
      if (refusal === null) return
      failures.push(refusal)
    }
    if (this.#desk.stopping) this.#giveBack(spoken)
    else this.#fail(spoken, worstOf(failures))
  }

  /** A route is what the operator says, and nobody's published policy; and the lecture's dialect knows no TLS. */
  #heard({ reversePath }: QueueEntry, session: HeardSession): void {
    const { tlsSession, dialect } = this.#world
    const { route, domain } = this.#destination
    if (route === null && dialect !== 'lecture') tlsSession?.({ domain, reversePath, ...session })
  }

  /**
   * The conversation with one host. RFC 5321 §3.3 lets it carry several messages; what waits for this destination goes
   * along.
   *
   * @returns Why the host would not have the first letter, so that the next host is asked; null when it spoke about it.
   */
  async #speak(client: SmtpClient, target: Target, first: Spoken): Promise<RecipientOutcome | null> {
    const sent = await this.#send(client, target, first)
    const refusal = hostRefusal(sent, client)
    if (refusal !== null) return refusal
    this.#end(first, sent)
    for (let n = 1; n < this.#world.bounds.messagesPerConnection; n++) {
      if (!client.usable || this.#desk.stopping) break
      const next = this.#destination.waiting[0]
      // One that needs another kind of conversation gets it from the next courier.
      if (next === undefined || !isGoodFor(client, next.entry)) break
      this.#destination.waiting.shift()
      const spoken = this.#begin(next, false)
      const result = await this.#send(client, target, spoken)
      // The host has had enough of this connection (421) or dropped it: the letter itself was not spoken about.
      if (hostRefusal(result, client) !== null && !this.#desk.stopping) {
        this.#current = null
        this.#destination.waiting.unshift(next)
        break
      }
      this.#end(spoken, result)
    }
    return null
  }

  /** One transaction; a letter that takes long makes room for another connection beside it. */
  async #send(client: SmtpClient, target: Target, spoken: Spoken): Promise<Sent> {
    const destination = this.#destination
    let slow = false
    const cancel = this.#world.clock.after(slowMs, () => {
      slow = true
      destination.slow++
      this.#desk.changed(destination)
    })
    const { entry } = spoken.held
    const now = this.#world.clock.now()
    try {
      const result = await client.send(
        {
          reversePath: entry.reversePath,
          recipients: recipientsFor(entry, client, now),
          octets: entry.prefix.length + entry.body.octets,
          eightBit: entry.eightBit,
          smtpUtf8: entry.smtpUtf8,
          prefix: entry.prefix,
          body: (offset, octets) => this.#read(spoken.held, offset, octets),
          envid: entry.envid,
          ret: entry.ret,
          asks: asksOf(entry, client, now),
        },
        spoken.recorder,
      )
      return {
        outcomes: outcomesOf(result, target.hostname, successOf(entry, client, now)),
        link: result.link,
      }
    } catch (error) {
      // The client throws for misuse only, so this is a fault of ours: temporary, as everything unknown.
      this.#world.log.error('cannot send a queued letter', { queueId: entry.queueId, error })
      client.destroy()
      return { outcomes: forAll(entry, localTrouble('Local error in sending', 'data')), link: null }
    } finally {
      cancel()
      if (slow) destination.slow--
    }
  }

  /** A body that ends before its row says so is damaged, and must not go out as if it were whole. */
  async #read(held: Held, offset: number, octets: number): Promise<Uint8Array> {
    const { body } = held.entry
    if (offset >= body.octets) return new Uint8Array(0)
    const piece = await this.#world.store.readBody(body, offset, octets)
    if (piece.length === 0) throw new BodyUnreadable('Body is shorter than its row says')
    return piece
  }

  /** @param announce Says at once that the letter is on its way; on an open connection its end follows soon enough. */
  #begin(held: Held, announce: boolean): Spoken {
    const { clock, journeys } = this.#world
    const { entry } = held
    const recorder = new Recorder(clock, entry.journeyId !== null)
    const { route } = this.#destination
    recorder.event('queued', 'attempt.start', {
      queueId: entry.queueId,
      attempt: entry.attempts + 1,
      domain: entry.domain,
      recipients: stillWaiting(entry).map((recipient) => recipient.forwardPath),
      ...(route === null ? {} : { route: `${route.address}:${route.port}` }),
    })
    if (announce && entry.journeyId !== null) {
      const facts = { state: 'moving', queueIds: [entry.queueId] } as const
      journeys.append({ journeyId: entry.journeyId, facts, events: takeOutgoing(recorder) })
    }
    this.#current = { held, recorder }
    return this.#current
  }

  #end(spoken: Spoken, sent: Sent): void {
    this.#current = null
    this.#last = spoken
    this.#desk.ended(spoken.held, spoken.recorder, sent.outcomes, sent.link)
  }

  #fail(spoken: Spoken, outcome: RecipientOutcome): void {
    this.#current = null
    // Permanent: said of this letter's domain or by each of its hosts; what waits behind it may hear the same, or better.
    if (outcome.kind === 'temporary') this.#desk.unreachable(this.#destination, outcome)
    this.#desk.ended(spoken.held, spoken.recorder, forAll(spoken.held.entry, outcome), null)
  }

  #giveBack(spoken: Spoken): void {
    this.#current = null
    this.#desk.giveBack(spoken.held)
  }

  /** QUIT. Its lines go to the journey of the letter that was spoken about last. */
  async #close(client: SmtpClient): Promise<void> {
    if (this.#last !== null) this.#leave()
    await client.quit()
    this.#desk.closed(client)
    if (this.#last === null) return
    const { journeyId } = this.#last.held.entry
    const events = takeOutgoing(this.#last.recorder)
    if (journeyId !== null && events.length > 0) this.#world.journeys.append({ journeyId, events })
  }

  /** The destination may have another connection while this one takes its leave. */
  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.#destination.active--
    this.#desk.changed(this.#destination)
  }
}

/**
 * What the host said when it would not begin a transaction, and closed: about the connection, not about the letter.
 * Null in every other case.
 */
function hostRefusal(sent: Sent, client: SmtpClient): RecipientOutcome | null {
  if (client.usable) return null
  for (const outcome of sent.outcomes.values()) {
    return outcome.kind === 'temporary' && outcome.stage === 'mail' ? outcome : null
  }
  return null
}

/**
 * Which report of success is ours to make. RFC 3461 §5.2.2 (b): a server without DSN makes none. RFC 2852 §4.1.4.2: nor does
 * one without DELIVERBY about the time, which its sender is told of all the same; §4.1.4: T asks each server on the way.
 */
function successOf(
  entry: QueueEntry,
  client: SmtpClient,
  now: number,
): Pick<RecipientOutcome, 'success' | 'always'> {
  const always = entry.wishes.deliverBy?.trace === true || isPromisedNothing(entry, client, now)
  return always || !client.extensions.has('DSN') ? { success: 'relayed', always } : {}
}

function outcomesOf(
  result: SendResult,
  hostname: string,
  success: Pick<RecipientOutcome, 'success' | 'always'>,
): OutcomeMap {
  const outcomes = new Map<string, RecipientOutcome>()
  for (const [forwardPath, outcome] of result.recipients) {
    const own = outcomeOfSend(outcome, hostname)
    outcomes.set(forwardPath, own.kind === 'delivered' ? { ...own, ...success } : own)
  }
  return outcomes
}
