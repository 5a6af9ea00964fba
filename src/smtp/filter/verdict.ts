/** What all filters say in the same way: to the client when something is wrong, and to journeys. */
import type { EventData } from '../../journey/event.ts'
import { type Refusal, refuse } from '../wire/reply.ts'
import type { FilterClient } from './filter.ts'

/** What a filter that cannot be asked answers: go on, or 451. */
export type OnFailure = 'accept' | 'tempfail'

/** Says nothing of which program it was: strangers read it. */
export function notChecked(cause?: unknown): Refusal {
  return refuse(451, '4.7.1', 'Message cannot be checked now, try again later', { cause })
}

export function rejected(stage: 'connect' | 'command' | 'message'): Refusal {
  if (stage === 'connect') return refuse(554, '5.7.1', 'Connection refused')
  return refuse(550, '5.7.1', stage === 'message' ? 'Message refused' : 'Command refused')
}

/** RFC 5321 §3.8: 421 where the connection ends with it. */
export function deferred(stage: 'connect' | 'command' | 'message'): Refusal {
  if (stage === 'connect') return refuse(421, '4.7.1', 'Service unavailable, try again later')
  return refuse(451, '4.7.1', 'Service unavailable, try again later')
}

export interface Told {
  readonly filter: string
  readonly stage: string
  /** `accept`, `reject`, `failed` … */
  readonly answer: string
  readonly us: number
  readonly more?: EventData
}

/** For the journey: what the filter answered and how long it took. */
export function tell(client: FilterClient, refusal: Refusal | null, told: Told): void {
  const { more, ...rest } = told
  const code = refusal === null ? {} : { code: refusal.reply.code, text: refusal.reply.lines.join(' ') }
  client.record(refusal === null ? 'spam' : 'refuse', { ...rest, ...code, ...more })
}
