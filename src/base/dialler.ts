import type { Socket } from 'node:net'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'

/** Where an outgoing connection goes: the name it is for, and the address that name was resolved to. */
export interface Target {
  readonly hostname: string
  readonly address: string
  readonly port: number
}

/**
 * Opens outgoing connections; nothing else in the program does. The Lab's reaches loopback only and translates ports by
 * host name; a server that only catches mail has none at all.
 *
 * @returns A connected socket with `setNoDelay`.
 * @throws {Error} With the system's `code` (ECONNREFUSED, ETIMEDOUT …), or the dialler's own refusal.
 */
export type Dialler = (target: Target, timeoutMs: number) => Promise<Socket>

/** What every room is handed instead of reaching for it. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}
