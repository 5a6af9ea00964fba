/**
 * When a letter that could not be handed over is tried again, and when we give up.
 *
 * Promised: the times between attempts grow to four hours (`[queue] retry` may say others) and stay there; a letter gets one last attempt when its life
 * ends (`limits.queueLifeMs`), even if the server was off for all of it; only then is a temporary failure final. Nothing
 * else makes it final: what we do not understand is temporary. RFC 5321 §4.5.4.1.
 *
 * That section would have half an hour between attempts, for the sake of hosts that are down. Those are spared here by
 * a back-off of the whole destination (`outageMs`), so a single letter may come back sooner: most hosts that say 4xx to a
 * stranger want to see it once more after a few minutes.
 */
import type { Random } from '../base/random.ts'

const minute = 60_000
const hour = 60 * minute

/** After the first attempt, the second …; the last one is that of all further attempts. */
export const defaultRetryMs: readonly number[] = [
  ...[minute, 5 * minute, 15 * minute, 30 * minute],
  ...[hour, 2 * hour, 4 * hour],
]

/** Part of a delay by which it is made longer at most, so that what failed together does not come back together. */
const jitter = 0.1

const firstOutageMs = minute
const longestOutageMs = 15 * minute

/**
 * The time of the next attempt.
 *
 * @param attempts How many have been made, at least 1.
 * @param retryMs As `defaultRetryMs`, at least one.
 * @returns Milliseconds since 1970; after `now` by the delay and up to a tenth more.
 */
export function nextAttempt(
  attempts: number,
  now: number,
  random: Random,
  retryMs: readonly number[] = defaultRetryMs,
): number {
  const delayMs = retryMs[Math.max(0, attempts - 1)] ?? retryMs.at(-1)!
  return now + Math.round(delayMs * (1 + jitter * fraction(random)))
}

/**
 * How long a destination is left alone after so many failures to reach any of its hosts in a row, RFC 5321 §4.5.4.1: "a
 * list of hosts it cannot reach".
 *
 * @param failures At least 1.
 */
export function outageMs(failures: number, random: Random): number {
  const delayMs = Math.min(longestOutageMs, firstOutageMs * 2 ** Math.min(20, failures - 1))
  return Math.round(delayMs * (1 + jitter * fraction(random)))
}

/** 0 to 1, without 1. */
export function fraction(random: Random): number {
  const octets = random.bytes(2)
  return (octets[0]! * 256 + octets[1]!) / 65_536
}
