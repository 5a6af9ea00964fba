/** Reads `[queue]`. */
import type { Limits } from '../../base/limits.ts'
import { defaultQueueConfig, type QueueConfig } from '../../base/queue-config.ts'
import type { ConfigTable } from '../config-table.ts'

const unitsMs: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** Attempts that are spaced one by one. */
const retriesMax = 50
/** What a time in the queue may be: a letter is not tried in a loop, and not for ever. */
const shortestMs = 1_000
const longestMs = 365 * unitsMs['d']!

export interface ReadQueue {
  readonly queue: QueueConfig
  /** Those of the limits that are said here. */
  readonly limits: Partial<Pick<Limits, 'queueLifeMs' | 'delayWarningMs'>>
}

export function readQueue(table: ConfigTable): ReadQueue {
  const retry = table.strings('retry')
  if (retry !== null && (retry.length === 0 || retry.length > retriesMax)) {
    const remedy = 'Write for example retry = ["15m", "1h", "4h"], or leave the line out.'
    throw table.error(['retry'], `queue.retry has ${retry.length} times, not 1 to ${retriesMax}`, remedy)
  }
  const retryMs = retry?.map((text, index) => readDuration(table, ['retry', index], text)) ?? null
  const queueLifeMs = duration(table, 'life')
  const delayWarningMs = duration(table, 'delay_warning')
  const count = (key: string, absent: number) => table.integer(key, absent, 1)
  const queue = {
    retryMs,
    connections: count('connections', defaultQueueConfig.connections),
    connectionsPerDestination: count(
      'connections_per_destination',
      defaultQueueConfig.connectionsPerDestination,
    ),
    messagesPerConnection: count('messages_per_connection', defaultQueueConfig.messagesPerConnection),
  }
  table.refuseOthers()
  return {
    queue,
    limits: {
      ...(queueLifeMs === null ? {} : { queueLifeMs }),
      ...(delayWarningMs === null ? {} : { delayWarningMs }),
    },
  }
}

function duration(table: ConfigTable, key: string): number | null {
  const text = table.string(key)
  return text === null ? null : readDuration(table, [key], text)
}

/** `15m`: a whole number and s, m, h or d. */
function readDuration(table: ConfigTable, path: (string | number)[], text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const ms = Number(amount) * (unitsMs[unit] ?? 0)
  if (ms >= shortestMs && ms <= longestMs) return ms
  const remedy = 'Write a whole number and s, m, h or d, such as "90s", "15m", "4h" or "5d".'
  throw table.error(path, `queue.${path[0]}: "${text}" is not a time that makes sense`, remedy)
}
