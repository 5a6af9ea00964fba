/**
 * One outgoing connection: from the first letter that needs it, over the letters that wait for the same destination, to
 * QUIT. RFC 5321 §5.1: hosts in their order, the next one when a host cannot be talked to; never the next one after a
 * host has said something about the letter itself.
 */
import type { Target } from '../base/dialler.ts'
import type { Link } from '../journey/event.ts'
import type { SmtpClient } from '../smtp/client/client.ts'
import type { SendResult } from '../smtp/client/message.ts'
import type { Destination } from './destination.ts'
import type { OutcomeMap, RecipientOutcome } from './outcome.ts'
import type { Held, QueueWorld } from './world.ts'
import { Recorder } from '../journey/recorder.ts'
import { BodyUnreadable } from '../store/errors.ts'
import { findTargets, isOutcome, openTarget, worstOf } from './connection.ts'
import { forAll, localTrouble, outcomeOfSend, stillWaiting } from './outcome.ts'
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

/** Takes a row from the destination, and more while the connection lasts. Never rejects. */
export async function runCourier(world: QueueWorld, destination: Destination, desk: Desk): Promise<void> {
  const first = destination.waiting.shift()
  if (first === undefined) return
  destination.active++
  let leaving = false
  const leave = (): void => {
    if (leaving) return
    leaving = true
    destination.active--
    desk.changed(destination)
  }
  await carry(world, destination, desk, first, leave)
  leave()
}

async function carry(
  world: QueueWorld,
  destination: Destination,
  desk: Desk,
  first: Held,
  leave: () => void,
): Promise<void> {
  const recorder = begin(world, destination, first, true)
  const found = await findTargets(world, destination, recorder)
  if (!Array.isArray(found)) return fail(destination, desk, first, recorder, found as RecipientOutcome)
  const targets = found as readonly Target[]
  const failures: RecipientOutcome[] = []
  for (const [index, target] of targets.entries()) {
    if (desk.stopping) return desk.giveBack(first)
    const client = await openTarget(world, target, recorder)
    if (isOutcome(client)) {
      failures.push(client)
      continue
    }
    desk.opened(client)
    destination.opened()
    desk.changed(destination)
    const result = await send(world, destination, desk, client, target.hostname, first, recorder)
    const refusal = hostRefusal(result, client)
    if (refusal !== null && index + 1 < targets.length) {
      failures.push(refusal)
      desk.closed(client)
      await client.quit()
      continue
    }
    desk.ended(first, recorder, result.outcomes, result.link)
    const last = await carryMore(world, destination, desk, client, target)
    leave()
    await client.quit()
    desk.closed(client)
    recordClosure(world, last ?? { held: first, recorder })
    return
  }
  if (desk.stopping) return desk.giveBack(first)
  fail(destination, desk, first, recorder, worstOf(failures))
}

function fail(
  destination: Destination,
  desk: Desk,
  first: Held,
  recorder: Recorder,
  outcome: RecipientOutcome,
): void {
  // Permanent: said of this letter's domain or by each of its hosts; what waits behind it may hear the same, or better.
  if (outcome.kind === 'temporary') desk.unreachable(destination, outcome)
  desk.ended(first, recorder, forAll(first.entry, outcome), null)
}

/**
 * RFC 5321 §3.3 lets one connection carry several messages; what waits for this destination goes along.
 *
 * @returns The last one; null when there was none.
 */
async function carryMore(
  world: QueueWorld,
  destination: Destination,
  desk: Desk,
  client: SmtpClient,
  target: Target,
): Promise<Spoken | null> {
  let last: Spoken | null = null
  for (let sent = 1; sent < world.bounds.messagesPerConnection; sent++) {
    if (!client.usable || desk.stopping) break
    const next = destination.waiting.shift()
    if (next === undefined) break
    const recorder = begin(world, destination, next, false)
    const result = await send(world, destination, desk, client, target.hostname, next, recorder)
    const refusal = hostRefusal(result, client)
    // The host has had enough of this connection (421) or dropped it: the letter itself was not spoken about.
    if (refusal !== null && !desk.stopping) {
      destination.waiting.unshift(next)
      break
    }
    last = { held: next, recorder }
    desk.ended(next, recorder, result.outcomes, result.link)
  }
  return last
}

/** One transaction; a letter that takes long makes room for another connection beside it. */
async function send(
  world: QueueWorld,
  destination: Destination,
  desk: Desk,
  client: SmtpClient,
  hostname: string,
  held: Held,
  recorder: Recorder,
): Promise<Sent> {
  let slow = false
  const cancel = world.clock.after(slowMs, () => {
    slow = true
    destination.slow++
    desk.changed(destination)
  })
  const { entry } = held
  try {
    const result = await client.send(
      {
        reversePath: entry.reversePath,
        recipients: stillWaiting(entry),
        octets: entry.prefix.length + entry.body.octets,
        eightBit: entry.eightBit,
        smtpUtf8: entry.smtpUtf8,
        prefix: entry.prefix,
        body: (offset, octets) => readExactly(world, held, offset, octets),
        envid: entry.envid,
        ret: entry.ret,
      },
      recorder,
    )
    return { outcomes: outcomesOf(result, hostname), link: result.link }
  } catch (error) {
    // The client throws for misuse only, so this is a fault of ours: temporary, as everything unknown.
    world.log.error('delivery attempt broke off', { queueId: entry.queueId, error })
    client.destroy()
    return { outcomes: forAll(entry, localTrouble('Local error in sending', 'data')), link: null }
  } finally {
    cancel()
    if (slow) destination.slow--
  }
}

/** A body that ends before its row says so is damaged, and must not go out as if it were whole. */
async function readExactly(
  world: QueueWorld,
  held: Held,
  offset: number,
  octets: number,
): Promise<Uint8Array> {
  const { body } = held.entry
  if (offset >= body.octets) return new Uint8Array(0)
  const piece = await world.store.readBody(body, offset, octets)
  if (piece.length === 0) throw new BodyUnreadable('Body is shorter than its row says')
  return piece
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

function outcomesOf(result: SendResult, hostname: string): OutcomeMap {
  const outcomes = new Map<string, RecipientOutcome>()
  for (const [forwardPath, outcome] of result.recipients) {
    outcomes.set(forwardPath, outcomeOfSend(outcome, hostname))
  }
  return outcomes
}

/** @param announce Says at once that the letter is on its way; on an open connection its end follows soon enough. */
function begin(world: QueueWorld, destination: Destination, held: Held, announce: boolean): Recorder {
  const { entry } = held
  const recorder = new Recorder(world.clock, entry.journeyId !== null)
  recorder.event('queued', 'attempt.start', {
    queueId: entry.queueId,
    attempt: entry.attempts + 1,
    domain: entry.domain,
    recipients: stillWaiting(entry).map((recipient) => recipient.forwardPath),
    ...(destination.route === null
      ? {}
      : { route: `${destination.route.address}:${destination.route.port}` }),
  })
  if (announce && entry.journeyId !== null) {
    const facts = { state: 'moving', queueIds: [entry.queueId] } as const
    world.journeys.append({ journeyId: entry.journeyId, facts, events: takeOutgoing(recorder) })
  }
  return recorder
}

/** QUIT's lines go to the journey of the letter that was spoken about last. */
function recordClosure(world: QueueWorld, last: Spoken): void {
  const { journeyId } = last.held.entry
  const events = takeOutgoing(last.recorder)
  if (journeyId !== null && events.length > 0) world.journeys.append({ journeyId, events })
}
