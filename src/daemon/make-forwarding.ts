import type { Config } from '../base/config.ts'
import type { Forwarding } from '../delivery/forwarding.ts'
import { keepForwardingKey } from './forwarding-key.ts'
import type { World } from './world.ts'

/** Null: letters go on under their own reverse-path. */
export function makeForwarding(
  { data, forwarding }: Pick<Config, 'data' | 'forwarding'>,
  { clock, random }: Pick<World, 'clock' | 'random'>,
): Forwarding | null {
  return forwarding.srs ? { clock, key: keepForwardingKey(data, random) } : null
}
