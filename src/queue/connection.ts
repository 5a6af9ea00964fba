/** From a destination to an open conversation with one of its hosts. */
import type { Target } from '../base/dialler.ts'
import type { Recorder } from '../journey/recorder.ts'
import type { SmtpClient } from '../smtp/client/client.ts'
import type { Destination } from './destination.ts'
import type { RecipientOutcome } from './outcome.ts'
import type { QueueWorld } from './world.ts'
import { selectMx } from '../dns/mx.ts'
import { openSmtpClient } from '../smtp/client/client.ts'
import { SmtpFailure } from '../smtp/client/failure.ts'
import { localTrouble, outcomeOfFailure } from './outcome.ts'
import { type HeardSession, sessionFailed, sessionOpened } from './tls-session.ts'
import { noRequireTls, tlsRefusal } from './wishes.ts'

/** Addresses that are tried for one destination in one attempt; RFC 5321 §5.1 asks for at least two. */
const targetsMax = 12

/** Every address of every host, in the order to try. */
export async function findTargets(
  world: QueueWorld,
  destination: Destination,
  recorder: Recorder,
): Promise<readonly Target[] | RecipientOutcome> {
  const { route, domain } = destination
  if (route !== null) return [{ hostname: route.address, address: route.address, port: route.port }]
  const ownNames = [world.hostname, world.ehloName]
  const primary = (await world.primaryOf?.(domain)) ?? null
  const { isForbidden } = world
  // A host that was named by the operator is for the operator to mend, while mail for it waits.
  const more = primary === null ? (isForbidden === undefined ? {} : { isForbidden }) : { exchange: primary }
  const choice = await selectMx(world.resolver, domain, world.random, { ownNames, recorder, ...more })
  if (choice.kind !== 'hosts') {
    const { kind, status, text } = choice
    return { kind, status, text, host: null, stage: 'dns' }
  }
  const targets = choice.hosts.flatMap(({ hostname, addresses }) =>
    addresses.map((address) => ({ hostname, address, port: world.port })),
  )
  return targets.slice(0, targetsMax)
}

export interface TargetWishes {
  readonly tlsOnly: boolean
  /** How it fared with TLS, once for each time it was tried. */
  heard(session: HeardSession): void
}

/**
 * Opens a conversation with one address. With `tlsOnly` it is one over TLS with a certificate that is good for the host's
 * name, to a server that passes the message on likewise (RFC 8689 §4.2.1), or none. Otherwise, when TLS fails it is opened again without: anybody in the middle could have
 * taken STARTTLS away as well, so mail is not held back for it, RFC 7435 §3.
 */
export async function openTarget(
  world: QueueWorld,
  target: Target,
  recorder: Recorder,
  { tlsOnly, heard }: TargetWishes,
): Promise<SmtpClient | RecipientOutcome> {
  const modes = tlsOnly ? (['required'] as const) : (['opportunistic', 'none'] as const)
  let outcome: RecipientOutcome | null = null
  for (const mode of modes) {
    try {
      const client = await openSmtpClient({
        target,
        dialler: world.dialler,
        clock: world.clock,
        log: world.log,
        ehloName: world.ehloName,
        tls: { mode, ca: world.tls.ca },
        dialect: world.dialect,
        ...(world.clientLimits === undefined ? {} : { limits: world.clientLimits }),
        recorder,
      })
      if (mode !== 'none') heard(sessionOpened(client, target))
      if (!tlsOnly || client.extensions.has('REQUIRETLS')) return client
      await client.quit()
      return noRequireTls
    } catch (error) {
      if (!(error instanceof SmtpFailure)) {
        world.log.error('cannot open a connection', { host: target.hostname, error })
        return localTrouble('Local error in opening a connection', 'connect')
      }
      const failed = sessionFailed(error, target)
      if (failed !== null) heard(failed)
      outcome = outcomeOfFailure(error, target.hostname)
      if (tlsOnly) return withoutTls(error) ? tlsRefusal(outcome) : outcome
      if (error.reason !== 'tls-failed') return outcome
    }
  }
  return outcome!
}

/** TLS is not to be had there. A server that says 4yz to STARTTLS will have it again, RFC 3207 §4. */
function withoutTls({ reason, reply }: SmtpFailure): boolean {
  if (reason === 'tls-required') return reply === null || reply.code >= 500
  return reason === 'tls-failed'
}

/**
 * What is said when no host would talk: for good only when each of them refused for good, otherwise what the most
 * preferred of the others said.
 */
export function worstOf(outcomes: readonly RecipientOutcome[]): RecipientOutcome {
  return (
    outcomes.find((outcome) => outcome.kind === 'temporary') ??
    outcomes[0] ??
    localTrouble('No host was tried', 'connect')
  )
}

export function isOutcome<T extends object>(value: T | RecipientOutcome): value is RecipientOutcome {
  return 'kind' in value
}
